/**
 * The queue of each pusher, and who sends from it. A pusher is *idle* (`due_at` is null), *due* from `due_at` on, or *held* by one
 * worker until `held_until`; that one sends in the order of the queue, one after the other, and takes each row away when it was
 * taken there. A worker that dies leaves a lease that runs out; what it had sent without noting so is sent once more.
 */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { PusherKind } from "../pusher-shape.ts";

export interface HeldPusher {
  pusherId: number;
  userId: string;
  kind: PusherKind;
  appId: string;
  pushkey: string;
  /** JSON. */
  data: string;
  /** In seconds since 1970. */
  set_s: number;
  failures: number;
}

export interface Queued {
  queueId: number;
  what: "event" | "counts" | "test";
  roomId: string | null;
  eventId: string | null;
  /** JSON. */
  tweaks: string | null;
  unread: number | null;
  isOld: boolean;
}

const IS_DUE = "due_at <= now() and (held_until is null or held_until < now())";

/** Nobody has more than $4 at work at once: one person's slow gateways hold up no other's notifications. */
const CLAIM = `with due as (
    select pusher_id, user_id, due_at, row_number() over (partition by user_id order by due_at, pusher_id) as turn
    from (select pusher_id, user_id, due_at from push.pushers where ${IS_DUE} order by due_at limit $5) d
  ), turns as (
    select pusher_id, due_at from due
    where turn + (select count(*) from push.pushers h where h.user_id = due.user_id and h.held_until >= now()) <= $4
  )
  update push.pushers p set holder = $1, held_until = now() + $2 * interval '1 millisecond'
  where p.pusher_id in (
    select pusher_id from push.pushers q join turns using (pusher_id) where q.due_at <= now() and (q.held_until is null or q.held_until < now())
    order by q.due_at limit $3 for update of q skip locked)
  returning pusher_id as "pusherId", user_id as "userId", kind, app_id as "appId", pushkey, data,
    floor(extract(epoch from set_at))::bigint as "set_s", failures`;

/** Takes pushers that are due and that nobody else has. */
export function claimPushers(ctx: Context, holder: string, most: number): Promise<HeldPusher[]> {
  const { pushDelivery_ms, pushesOfOne, pushesDue } = limits;
  return ctx.db.push.query<HeldPusher>(CLAIM, [holder, pushDelivery_ms, most, pushesOfOne, pushesDue]);
}

/** In how many milliseconds it is to be looked again. What is due and could not be taken waits for others of the same person. */
export async function nextDue(ctx: Context): Promise<number> {
  const row = await ctx.db.push.one<{ in_ms: number }>(
    `select extract(epoch from due_at - clock_timestamp())::float8 * 1000 as in_ms from push.pushers
     where due_at is not null and (held_until is null or held_until < now()) order by due_at limit 1`,
  );
  if (!row) return limits.pushLook_ms;
  return row.in_ms <= 0 ? limits.pushPoll_ms : Math.min(limits.pushLook_ms, Math.ceil(row.in_ms));
}

/** The next of a pusher's queue, in order. What is more than may wait goes, the oldest first. */
export async function nextOf(ctx: Context, { pusherId }: HeldPusher): Promise<Queued[]> {
  await ctx.db.push.change(
    `delete from push.queue where pusher_id = $1 and queue_id <= (
       select queue_id from push.queue where pusher_id = $1 order by queue_id desc offset $2 limit 1)`,
    [pusherId, limits.pushQueue_notifications],
  );
  return ctx.db.push.query<Queued>(
    `select queue_id as "queueId", what, room_id as "roomId", event_id as "eventId", tweaks, unread,
       made_at < now() - $3 * interval '1 millisecond' as "isOld"
     from push.queue where pusher_id = $1 order by queue_id limit $2`,
    [pusherId, limits.pushBatch_notifications, limits.pushOld_ms],
  );
}

const SENT = `with gone as (delete from push.queue where queue_id = $3)
  update push.pushers set failures = 0, failing_since = null, unread = coalesce($4, unread),
    held_until = now() + $5 * interval '1 millisecond'
  where pusher_id = $1 and holder = $2`;

/** Notes that it was taken there. Gives whether this worker still has the pusher. */
export async function noteSent(ctx: Context, held: HeldPusher & { holder: string }, sent: Queued): Promise<boolean> {
  const params = [held.pusherId, held.holder, sent.queueId, sent.unread, limits.pushDelivery_ms];
  return (await ctx.db.push.change(SENT, params)) > 0;
}

/** Takes one away that is not to be sent. */
export async function dropQueued(ctx: Context, { queueId }: Queued): Promise<void> {
  await ctx.db.push.change("delete from push.queue where queue_id = $1", [queueId]);
}

/** Gives the pusher back: idle, or due at once where something came meanwhile. */
export async function release(ctx: Context, { pusherId, holder }: HeldPusher & { holder: string }): Promise<void> {
  await ctx.db.push.transaction(async (db) => {
    // The row is locked first: whoever puts something in the queue either did so before, and it is seen here, or waits.
    const own = await db.one("select 1 from push.pushers where pusher_id = $1 and holder = $2 for update", [
      pusherId,
      holder,
    ]);
    if (!own) return;
    await db.query(
      `update push.pushers p set holder = null, held_until = null,
         due_at = case when exists (select from push.queue q where q.pusher_id = p.pusher_id) then now() end
       where pusher_id = $1`,
      [pusherId],
    );
  });
}

/** Gives the pusher back to be tried again later, the later the longer its gateway has failed. Gives when, in ms from now. */
export async function postpone(ctx: Context, held: HeldPusher & { holder: string }): Promise<number> {
  const growing_ms = limits.pushRetryLeast_ms * 2 ** Math.min(held.failures, 20);
  const most_ms = Math.min(growing_ms, limits.pushRetryMost_ms);
  // Not all pushers of a gateway that was away come back at the same moment.
  const after_ms = most_ms - ctx.seams.randomInt(Math.ceil(most_ms / 4));
  await ctx.db.push.query(
    `update push.pushers set holder = null, held_until = null, due_at = now() + $3 * interval '1 millisecond',
       failures = failures + 1, failing_since = coalesce(failing_since, now())
     where pusher_id = $1 and holder = $2`,
    [held.pusherId, held.holder, after_ms],
  );
  return after_ms;
}

/** The gateway says that the device is not there any more. */
export async function removePusher(ctx: Context, { pusherId, holder }: HeldPusher & { holder: string }): Promise<void> {
  await ctx.db.push.query("delete from push.pushers where pusher_id = $1 and holder = $2", [pusherId, holder]);
}
