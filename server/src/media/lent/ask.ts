/**
 * Asks the processes with the role media for a file that this one does not reach, because uploads are in a folder that only they have.
 * The request shows a ticket, which was written to the database for this one file: decision 0065.
 */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { attempt, Unanswered } from "../../proxy/attempt.ts";
import type { Target, Targets } from "../../proxy/targets.ts";
import { pause } from "../../seams.ts";
import { GONE, LENT_PATH } from "./give.ts";
import { type Lent, newLentTicket } from "./tickets.ts";

export interface Asked extends Lent {
  size_bytes: number;
}

/** Whether a setting says who has the uploads. */
export function mayAsk(ctx: Context): boolean {
  return ctx.upstreams.of("media") !== undefined;
}

/**
 * The file as it comes; it ends with an error where it breaks off. Undefined where it is not there any more. Throws IO_PARLEY_UNAVAILABLE
 * where none of them gives it.
 */
export async function askForUpload(ctx: Context, asked: Asked): Promise<Readable | undefined> {
  const targets = ctx.upstreams.of("media") as Targets;
  const tried = new Set<Target>();
  for (let attempts = 1; ; attempts++) {
    const target = targets.next(tried);
    if (!target) throw unavailable(new Error("the name in MEDIA_URL has no address"));
    if (tried.has(target)) await pause(ctx.seams, limits.upstreamPause_ms, ctx.stopping);
    tried.add(target);
    try {
      return await ask(ctx, target, asked);
    } catch (thrown) {
      if (thrown instanceof Unanswered) targets.leaveOut(target);
      else if (!(thrown instanceof Unfit)) throw thrown;
      if (attempts >= limits.upstream_attempts) throw unavailable(thrown);
      ctx.logger.info({ upstream: target.name, reason: thrown.message }, "asked elsewhere for a file");
    }
  }
}

/** Somebody answered, and not with the file: a release that does not know the path, another program, or a failure there. */
class Unfit extends Error {}

/** A ticket is good for one attempt. Rejects with Unanswered or Unfit. */
async function ask(ctx: Context, target: Target, asked: Asked): Promise<Readable | undefined> {
  const ticket = await newLentTicket(ctx, asked);
  const headers = { host: hostOf(target), authorization: `Bearer ${ticket}` };
  const asking = { method: "GET", path: LENT_PATH, headers, body: Buffer.alloc(0), isRepeatable: true };
  const answer = await attempt(target, asking, { agents: ctx.upstreams.agents, seams: ctx.seams }).answer;
  if (answer.statusCode === 200 && answer.headers["content-length"] === String(asked.size_bytes)) return answer;
  letGo(answer);
  if (answer.statusCode === GONE) return undefined;
  throw new Unfit(
    `${target.name} answered ${answer.statusCode} with ${answer.headers["content-length"] ?? "any number of"} bytes`,
  );
}

function hostOf({ host, at }: Target): string {
  return `${host.includes(":") ? `[${host}]` : host}:${at.port}`;
}

/** Nobody reads it, and what becomes of it concerns nobody. */
function letGo(answer: IncomingMessage): void {
  answer.on("error", () => {}).destroy();
}

function unavailable(thrown: unknown) {
  return matrixError(
    "IO_PARLEY_UNAVAILABLE",
    "The part of the server that has the files does not answer as it should. Try again in a moment.",
    { retryAfter_ms: limits.upstreamResolve_ms, cause: asError(thrown) },
  );
}
