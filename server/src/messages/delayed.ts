/**
 * Delayed events: a client hands over an event that is sent when it has not said otherwise in time, such as that it has left a
 * call. They are rows, so they survive whatever happens to a process, and any worker sends them.
 *
 * States of a row: *waiting* (until `send_at`; restarting moves that), *claimed* by a worker for a while, and *ended*: sent, cancelled,
 * or refused by the room. Specification: MSC4140, with its unstable names.
 */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { limits } from "../limits.ts";
import { formatFault, sizeFault } from "../rooms/rules/canonical.ts";
import type { Content } from "../rooms/rules/event.ts";
import { faultError } from "../rooms/rules/verdict.ts";
import { randomToken } from "../seams.ts";
import { tellDue } from "../worker/due.ts";
import { transactionOf } from "./send-transaction.ts";

const UNSTABLE = "org.matrix.msc4140";
/** The parameter of a send that makes it a later one, in milliseconds. */
const DELAY = `${UNSTABLE}.delay`;

/** How long a request wants its event to wait; undefined for one that is to be sent now. Throws M_INVALID_PARAM, and M_UNKNOWN for too long. */
export function delayOf(query: unknown): number | undefined {
  const asked = (query as Record<string, unknown>)[DELAY];
  if (asked === undefined) return undefined;
  const delay_ms = Number(asked);
  if (!Number.isSafeInteger(delay_ms) || delay_ms < 0)
    throw matrixError("M_INVALID_PARAM", `"${DELAY}" is a number of milliseconds.`);
  if (delay_ms > limits.delayed_ms)
    throw matrixError("M_UNKNOWN", `An event can be delayed by ${limits.delayed_ms} ms at the most.`, {
      status: 400,
      fields: { [`${UNSTABLE}.errcode`]: "M_MAX_DELAY_EXCEEDED", [`${UNSTABLE}.max_delay`]: limits.delayed_ms },
    });
  return delay_ms;
}

export interface Delayed {
  session: Pick<Session, "id" | "userId">;
  roomId: string;
  type: string;
  /** Of a state event. */
  stateKey?: string;
  /** Of a message. A state event has none, so each request for one is a new one. */
  txnId?: string;
  content: Content;
  delay_ms: number;
}

/** Keeps the event until it is due, and gives the id by which it can be restarted, sent or cancelled. A retry gets the id of the first time. */
export async function schedule(ctx: Context, delayed: Delayed): Promise<{ delay_id: string }> {
  const { session, roomId, type, stateKey, txnId, content, delay_ms } = delayed;
  const delayId = randomToken(ctx.seams, 32);
  const key = transactionOf(session, ["delayed", roomId, type, stateKey ?? ""], txnId ?? delayId).key;
  const first = await ctx.db.rooms.one<{ delay_id: string }>(
    "select delay_id from rooms.delayed_events where session_id = $1 and txn_key = $2",
    [session.id, key],
  );
  if (first) return first;
  await requireAcceptable(ctx, delayed);
  const row = await ctx.db.rooms.one<{ delay_id: string }>(
    `insert into rooms.delayed_events
       (delay_id, user_id, session_id, txn_key, txn_id, room_id, type, state_key, content, delay_ms, send_at, scheduled_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bigint, now() + $10::bigint * interval '1 millisecond', $11)
     on conflict (session_id, txn_key) do update set delay_id = rooms.delayed_events.delay_id returning delay_id`,
    [
      delayId,
      session.userId,
      session.id,
      key,
      txnId ?? null,
      roomId,
      type,
      stateKey ?? null,
      JSON.stringify(content),
      delay_ms,
      ctx.log.hub.head(),
    ],
  );
  tellDue(ctx, "delayed", delay_ms);
  return { delay_id: row?.delay_id as string };
}

/** What can be known before it is due: who is not in the room, or asks for too much, is told now. */
async function requireAcceptable(ctx: Context, { session, roomId, type, stateKey, content }: Delayed): Promise<void> {
  const room = await ctx.rooms.load(roomId);
  if (room.membership(session.userId) !== "join") throw matrixError("M_FORBIDDEN", "You are not in this room.");
  const event = { type, sender: session.userId, content, ...(stateKey !== undefined && { state_key: stateKey }) };
  const fault = formatFault(event) ?? sizeFault(Buffer.byteLength(JSON.stringify(event)));
  if (fault) throw faultError(fault);
  const waiting = await ctx.db.rooms.one<{ count: number }>(
    "select count(*) from rooms.delayed_events where user_id = $1 and ended_at is null",
    [session.userId],
  );
  if ((waiting?.count ?? 0) >= limits.delayed_events)
    throw matrixError("M_UNKNOWN", `At most ${limits.delayed_events} of your events can wait at a time.`, {
      status: 400,
      fields: { [`${UNSTABLE}.errcode`]: "M_MAX_DELAYED_EVENTS_EXCEEDED" },
    });
}
