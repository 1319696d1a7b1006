/**
 * Sync and pagination tokens: `s<epoch>_<position>`, and for sync a third number that says how much of what is not in the log
 * (typing, presence) the client has seen. Those of sliding sync have a fourth, the step of their connection: sync/sliding/state.ts.
 * A token at position p stands just behind entry p.
 */
import { matrixError } from "../errors.ts";

/** A point of the log, as whoever read up to there knows it. */
export interface Point {
  /** The history epoch: in another one the position may mean something else. See epochs.ts. */
  epoch: number;
  position: number;
}

export interface Token extends Point {
  ephemeral: number;
  step?: number;
}

/** The token's text. */
export function formatToken({
  epoch,
  position,
  ephemeral,
  step,
}: {
  epoch: number;
  position: number;
  ephemeral?: number;
  step?: number;
}): string {
  return [`s${epoch}`, position, ephemeral, step].filter((part) => part !== undefined).join("_");
}

/** Reads a token that a client sent back. Throws M_INVALID_PARAM for anything that this server never gave out. */
export function parseToken(text: string, parameter = "since"): Token {
  const match = /^s(\d{1,10})_(\d{1,15})(?:_(\d{1,15}))?(?:_(\d{1,15}))?$/.exec(text);
  if (!match)
    throw matrixError("M_INVALID_PARAM", `"${parameter}" is not a token of this server. Leave it out to start over.`);
  const [, epoch, position, ephemeral = 0, step] = match;
  const token = { epoch: Number(epoch), position: Number(position), ephemeral: Number(ephemeral) };
  return step === undefined ? token : { ...token, step: Number(step) };
}
