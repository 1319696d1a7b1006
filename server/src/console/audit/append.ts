/**
 * The audit log: one chain of entries, each with the SHA-256 of itself and the hash of the one before it (see 0001_console.sql for
 * what is hashed). Whoever appends holds the row of the chain's end, so writers on all replicas make one chain.
 */
import type { Context } from "../../context.ts";
import type { Db } from "../../db/database.ts";
import { limits } from "../../limits.ts";
import type { Actor, Change } from "../operation.ts";

/** `begun` is the first of two entries: the other says how it ended, or the process ended in between. */
export const outcomes = ["done", "denied", "failed", "begun"] as const;
export type Outcome = (typeof outcomes)[number];

export interface Act {
  actor: Pick<Actor, "userId" | "via" | "address" | "device">;
  /** The operation's id. */
  action: string;
  target?: string | undefined;
  reason?: string | undefined;
  outcome: Outcome;
  /** The errcode, where it was not done. */
  error?: string | undefined;
  change?: Change | undefined;
  /** The position of the entry that said that it has begun. */
  begun?: number | undefined;
}

/** Where an entry stands, with its hash in hexadecimal. */
export interface Written {
  act: Act;
  position: number | undefined;
  hash: string | undefined;
}

/** Appends the acts, in their order, and tells of each. */
export async function appendAudit(ctx: Context, acts: readonly Act[]): Promise<void> {
  for (const act of acts) tellAudit(ctx, [await writeAudit(ctx.db.console, act)]);
}

/** Appends one act. Whoever does it in a transaction tells of it when that is committed, and not before. */
export async function writeAudit(db: Pick<Db, "one">, act: Act): Promise<Written> {
  const end = await db.one<{ position: number; hash: string }>(
    `select "position", encode(hash, 'hex') as hash from console.append_audit($1)`,
    [JSON.stringify(rowOf(act))],
  );
  return { act, position: end?.position, hash: end?.hash };
}

/** Says in the process's log what was written: a copy of the chain's end that the database does not hold. */
export function tellAudit({ logger }: Pick<Context, "logger">, written: readonly Written[]): void {
  for (const { act, position, hash } of written)
    logger.info({ audit: position, hash, action: act.action, outcome: act.outcome }, "an operator acted");
}

function rowOf({ actor, action, target, reason, outcome, error, change, begun }: Act): Record<string, unknown> {
  return {
    actor: clean(actor.userId),
    via: actor.via,
    address: clean(actor.address),
    device: actor.device === undefined ? null : clean(actor.device),
    action,
    target: optional(change?.target ?? target),
    reason: optional(reason),
    before: jsonOf(change?.before),
    after: jsonOf(change?.after),
    outcome,
    error: error ?? null,
    begun: begun ?? null,
  };
}

function optional(text: string | undefined): string | null {
  // Cut first: the cut may go through a character of two units.
  return text === undefined ? null : clean(text.slice(0, limits.operatorReason_characters));
}

/** PostgreSQL keeps no U+0000, and no half of a character. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

function jsonOf(value: unknown): string | null {
  if (value === undefined) return null;
  const json = clean(JSON.stringify(value) ?? "null");
  const size_bytes = Buffer.byteLength(json);
  return size_bytes <= limits.auditChange_bytes ? json : JSON.stringify({ left_out_bytes: size_bytes });
}
