/**
 * Sliding sync: the client says which of its rooms it shows, and gets what is new in these. Served from the same log as GET /sync, by
 * any process: see docs/protocol/sliding-sync.md. An answer is built, and where there is nothing to tell the request waits for
 * news and looks again.
 */
import type { Context } from "../../context.ts";
import { MatrixError } from "../../errors.ts";
import { formatToken, parseToken, type Token } from "../../log/token.ts";
import { deliveriesOf } from "../../presence/receipts-delivered.ts";
import { noteDeliveries } from "../deliveries.ts";
import { deleteMessages } from "../devices.ts";
import type { SyncParts } from "../run.ts";
import { standOf } from "../sync.ts";
import { buildAnswer, type SlidingAnswer, type Standing } from "./answer.ts";
import { unknownPosition } from "./connections.ts";
import { slidingPartsOf } from "./parts.ts";
import type { SlidingAsk } from "./request.ts";
import { messagesSince } from "./to-device.ts";

interface Request {
  ask: SlidingAsk;
  pos: string | undefined;
  signal: () => AbortSignal;
}

/** Answers with JSON text, after at most the time that the client allows. Throws M_UNKNOWN_POS. */
export async function slidingSync(ctx: Context, parts: SyncParts, { ask, pos, signal }: Request): Promise<string> {
  const standing = await standingOf(ctx, ask, pos);
  const { session, extensions } = ask;
  const { since, messagesSince: arrived } = standing;
  // The client's tokens say what it has: its messages, and, below, with all of its rooms on show what was said in them.
  if (extensions.toDevice?.since !== undefined) deleteMessages(ctx, parts, { session, since: arrived });
  const deadline_ms = ctx.seams.monotonic_ms() + ask.timeout_ms;
  let hasWaited = false;
  for (;;) {
    // Taken before the answer is built: what comes meanwhile is then looked at, not slept through.
    const seen = ctx.ephemeral.clock();
    const answer = await buildAnswer(ctx, { parts, ask, standing });
    if (answer.hadAll && since !== undefined) deliveriesOf(ctx).note(session, since);
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    const isDone = answer.hasNews || standing.since === undefined || left_ms <= 0 || ctx.stopping.aborted;
    if (isDone || signal().aborted) {
      if (hasWaited && answer.hasNews)
        noteDeliveries(ctx, { after: standing.since ?? 0, upTo: answer.upTo, via: "sync" }, answer.events());
      return finish(ctx, { ask, standing, answer, seen });
    }
    // As long as what the client has stays as it is, it may as well have been told that there was nothing.
    if (answer.change.size === 0) standing.since = answer.upTo;
    if (ctx.log.hub.head() > answer.upTo || ctx.ephemeral.clock() > seen) continue;
    ctx.metrics.syncWaiting.inc();
    await parts.waiters.wait(ask.session.userId, { timeout_ms: left_ms, signal: signal() });
    ctx.metrics.syncWaiting.dec();
    hasWaited = true;
  }
}

/** Where the client stands. Throws M_UNKNOWN_POS where that is not known, or in another history. */
async function standingOf(
  ctx: Context,
  { session, connId, extensions }: SlidingAsk,
  pos: string | undefined,
): Promise<Standing> {
  const messages = await messagesSince(ctx, extensions.toDevice?.since);
  const { connections } = slidingPartsOf(ctx);
  const name = { sessionId: session.id, connId };
  if (pos === undefined) {
    const held = await connections.open(name, 0);
    return { since: undefined, seen: 0, held, pos, messagesSince: messages };
  }
  const token = await tokenOf(ctx, pos);
  const held = await connections.open(name, token.step ?? 0);
  return { since: token.position, seen: token.ephemeral, held, pos, messagesSince: messages };
}

async function tokenOf(ctx: Context, pos: string): Promise<Token> {
  try {
    const token = await standOf(ctx, parseToken(pos, "pos"));
    if (!token) throw unknownPosition();
    return token;
  } catch (thrown) {
    throw thrown instanceof MatrixError && thrown.errcode === "M_INVALID_PARAM" ? unknownPosition() : thrown;
  }
}

interface Finishing {
  ask: SlidingAsk;
  standing: Standing;
  answer: SlidingAnswer;
  seen: number;
}

/** Notes what the client has with the answer, and only then gives it out. */
async function finish(ctx: Context, { ask, standing, answer, seen }: Finishing): Promise<string> {
  const { held } = standing;
  const name = { sessionId: ask.session.id, connId: ask.connId };
  const step =
    answer.change.size === 0 ? held.step : await slidingPartsOf(ctx).connections.take(name, held, answer.change);
  return answer.json(formatToken({ epoch: ctx.log.epoch, position: answer.upTo, ephemeral: seen, step }));
}
