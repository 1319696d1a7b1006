/**
 * Sending what is due. A worker claims rows for a while, so that each is sent by one; and the event's transaction makes sure of it: when
 * a worker dies between sending and saying so, the next one gets the same event.
 */
import { accountLocked, accountSuspended, readModeration } from "../auth/moderation.ts";
import type { Context } from "../context.ts";
import { asError, MatrixError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { dismissGuests, GUEST_ACCESS } from "../rooms/guests.ts";
import type { Content } from "../rooms/rules/event.ts";
import type { RoomState } from "../rooms/state.ts";
import { proposeState } from "../rooms/state-put.ts";
import { submit } from "../rooms/submit.ts";
import { onDue } from "../worker/due.ts";
import { startRounds } from "../rounds.ts";
import { afterRedaction } from "./redact.ts";
import { append, newSending } from "./sending.ts";
import { transactionOf } from "./send-transaction.ts";

export interface DelayedRow {
  delayId: string;
  userId: string;
  sessionId: number;
  txnId: string | null;
  roomId: string;
  type: string;
  stateKey: string | null;
  content: string;
  delay_ms: number;
  /** Milliseconds since 1970. */
  runningSince: number;
  scheduledAt: number;
}

export const DELAYED_COLUMNS = `delay_id as "delayId", user_id as "userId", session_id as "sessionId", txn_id as "txnId",
  room_id as "roomId", type, state_key as "stateKey", content, delay_ms,
  (extract(epoch from running_since) * 1000)::bigint as "runningSince", scheduled_at as "scheduledAt"`;

/** Whether somebody else has set this state since: then it is not sent any more. */
export async function isOvertaken(ctx: Context, row: DelayedRow): Promise<boolean> {
  if (row.stateKey === null) return false;
  const room: RoomState | undefined = await ctx.rooms.find(row.roomId);
  const current = room?.get(row.type, row.stateKey);
  return current !== undefined && current.position > row.scheduledAt && current.sender !== row.userId;
}

/** Sends the event, unless it was overtaken or the room refuses it; either way it has ended. Throws where nobody knows yet. */
export async function sendDelayed(ctx: Context, row: DelayedRow): Promise<void> {
  try {
    await requireStanding(ctx, row.userId);
    if (!(await isOvertaken(ctx, row))) await (row.stateKey === null ? sendMessage(ctx, row) : sendState(ctx, row));
  } catch (thrown) {
    const isFinal = thrown instanceof MatrixError && thrown.status < 429;
    if (!isFinal) throw thrown;
    ctx.logger.info({ reason: thrown.message }, "a delayed event was refused when it was due");
  }
  await endDelayed(ctx, row.delayId);
}

/** Whom operators have locked or suspended since does not speak by what they handed over before. */
async function requireStanding(ctx: Context, userId: string): Promise<void> {
  const standing = await readModeration(ctx, userId);
  if (!standing) throw matrixError("M_USER_DEACTIVATED", "This account has been deactivated.");
  if (standing.locked) throw accountLocked();
  if (standing.suspended) throw accountSuspended();
}

async function sendMessage(ctx: Context, row: DelayedRow): Promise<void> {
  const { sessionId, userId, roomId, type, txnId } = row;
  const content = JSON.parse(row.content) as Content;
  await append(
    ctx,
    newSending(ctx, { session: { id: sessionId, userId }, roomId, type, txnId: txnId as string, content }),
  );
  if (type === "m.room.redaction") await afterRedaction(ctx, roomId, content["redacts"]);
}

async function sendState(ctx: Context, row: DelayedRow): Promise<void> {
  const { delayId, sessionId, userId, roomId, type, stateKey, content } = row;
  const proposal = { sender: userId, type, state_key: stateKey as string, content: JSON.parse(content) as Content };
  await submit(ctx, {
    roomId,
    transaction: transactionOf({ id: sessionId }, ["delayed"], delayId),
    propose: (room) => proposeState(ctx, room, proposal),
  });
  if (type === GUEST_ACCESS) await dismissGuests(ctx, roomId);
}

/** Says whether it was waiting until now. What it held is forgotten. */
export async function endDelayed(ctx: Context, delayId: string): Promise<boolean> {
  const sql = "update rooms.delayed_events set ended_at = now(), content = '' where delay_id = $1 and ended_at is null";
  return (await ctx.db.rooms.change(sql, [delayId])) > 0;
}

/** Sends what is due when it is. Any number of workers may. */
export function startDelayed(ctx: Context): Promise<() => Promise<void>> {
  let wait_ms: number = limits.delayedLook_ms;
  const sending = startRounds(ctx, {
    wait_ms: () => wait_ms,
    async act() {
      // Where the database does not answer it is asked again soon.
      wait_ms = limits.delayedRetry_ms;
      await sendDue(ctx);
      if (!ctx.stopping.aborted) wait_ms = await nextDue(ctx);
    },
    failed: "delayed events could not be sent",
    isAtOnce: true,
    wokenBy: (wake) => onDue(ctx, "delayed", wake),
  });
  const forgetting = startRounds(ctx, {
    wait_ms: () => limits.finishedLook_ms,
    act: () => forgetEnded(ctx),
    failed: "delayed events that are over could not be forgotten",
  });
  return Promise.resolve(async () => {
    await Promise.all([sending(), forgetting()]);
  });
}

/** A request for one that has ended is repeated within minutes, if at all. */
function forgetEnded(ctx: Context): Promise<number> {
  const sql = "delete from rooms.delayed_events where ended_at < now() - $1 * interval '1 millisecond'";
  return ctx.db.rooms.change(sql, [limits.delayed_ms]);
}

/** In how many milliseconds it is to be looked again. What somebody has is looked for when its claim may be over. */
async function nextDue(ctx: Context): Promise<number> {
  const row = await ctx.db.rooms.one<{ in_ms: number }>(
    `select extract(epoch from send_at - clock_timestamp())::float8 * 1000 as in_ms from rooms.delayed_events
     where ended_at is null and (claimed_until is null or claimed_until < now()) order by send_at limit 1`,
  );
  return row ? Math.min(limits.delayedLook_ms, Math.max(0, Math.ceil(row.in_ms))) : limits.delayedLook_ms;
}

const DUE = "ended_at is null and send_at <= now() and (claimed_until is null or claimed_until < now())";

/** Sends all that is due, in the order in which it is. */
export async function sendDue(ctx: Context): Promise<void> {
  // Almost always there is nothing: that is asked without a lock.
  const any = await ctx.db.rooms.one<{ some: boolean }>(
    `select exists (select 1 from rooms.delayed_events where ${DUE}) as some`,
  );
  if (!any?.some) return;
  const rows = await ctx.db.rooms.query<DelayedRow>(
    `with due as (
       select delay_id from rooms.delayed_events where ${DUE} order by send_at limit $1 for update skip locked
     ), claimed as (
       update rooms.delayed_events e set claimed_until = now() + $2 * interval '1 millisecond'
       from due where e.delay_id = due.delay_id returning e.*
     ) select ${DELAYED_COLUMNS} from claimed order by send_at`,
    [limits.delayedBatch_events, limits.delayedClaim_ms],
  );
  for (const row of rows) {
    if (ctx.stopping.aborted) return release(ctx, rows);
    await sendDelayed(ctx, row).catch(async (thrown: unknown) => {
      ctx.logger.warn({ reason: asError(thrown).message }, "a delayed event could not be sent yet");
      await postpone(ctx, row.delayId);
    });
  }
}

/** It is tried again after a while, and until then it can be put off like any that waits. */
async function postpone(ctx: Context, delayId: string): Promise<void> {
  await ctx.db.rooms.change(
    `update rooms.delayed_events set claimed_until = null, send_at = now() + $2 * interval '1 millisecond'
     where delay_id = $1 and ended_at is null`,
    [delayId, limits.delayedClaim_ms],
  );
}

/** A worker that stops leaves the rest to others at once. */
async function release(ctx: Context, rows: readonly DelayedRow[]): Promise<void> {
  const sql = "update rooms.delayed_events set claimed_until = null where delay_id = any($1) and ended_at is null";
  await ctx.db.rooms.change(sql, [rows.map(({ delayId }) => delayId)]);
}
