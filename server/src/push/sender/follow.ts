/**
 * Looks through the log, stretch after stretch, for what is to be sent. One worker at a time does it, under a lease; the stretch, and
 * what it put in the queue, are one transaction with how far the log was looked through: whoever goes on after a worker that died
 * neither misses an event nor puts it in the queue twice.
 */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { readPushStretch } from "../../log/for-push.ts";
import { stillHolds } from "../../log/for-projections.ts";
import { pushMetrics } from "./metrics.ts";
import { type News, newsIn } from "./news.ts";
import { tellDue } from "../../worker/due.ts";
import { type Place, progressIn } from "../../worker/progress.ts";
import { unreadOf } from "./unread.ts";
import type { Watchers } from "./watchers.ts";

const progress = progressIn({ schema: "push", lease_ms: limits.pushLease_ms });
export const { leaveLease } = progress;

/** More: there is more of the log. Done: not now. Elsewhere: another worker has the lease. */
export type Followed = "more" | "done" | "elsewhere";

/** Looks through one stretch. `since` is from where on anybody is interested. */
export async function followStretch(
  ctx: Context,
  holder: string,
  { watchers, since }: { watchers: Watchers; since: number },
): Promise<Followed> {
  const from = await progress.takeLease(ctx, holder);
  pushMetrics(ctx).holds.set(from ? 1 : 0);
  if (!from) return "elsewhere";
  const after = Math.max(from.position, since);
  const stretch = await readPushStretch(ctx.db.log, {
    after,
    span: limits.pushSpan_positions,
    limit: limits.pushStretch_entries,
  });
  const { entries, epoch, head } = stretch;
  // After a restore from a backup the log went on differently: what was between is not told a second time.
  const isSame = from.position === 0 || (await stillHolds(ctx.db.log, from, epoch));
  const upTo = isSame ? stretch.upTo : head;
  if (upTo === from.position && isSame) return "done";
  await ctx.log.reached(Math.min(upTo, head));
  const news = isSame ? await newsIn(ctx, watchers, entries) : { notices: [], readings: [] };
  const people = [...new Set([...news.notices, ...news.readings].map(({ user_id }) => user_id))];
  const queueing = { holder, from, upTo, epoch, news, unread: await unreadOf(ctx, people) };
  if (!(await queueNews(ctx, queueing))) return "elsewhere";
  return upTo < head ? "more" : "done";
}

interface Queueing {
  holder: string;
  from: Place;
  upTo: number;
  epoch: number;
  news: News;
  unread: ReadonlyMap<string, number>;
}

/** What somebody has read on another device is not told on this one. */
const TAKE_BACK = `delete from push.queue q using push.pushers p,
    json_to_recordset($1::json) n(user_id text, room_id text, thread_id text, position bigint)
  where p.user_id = n.user_id and q.pusher_id = p.pusher_id and q.what = 'event' and q.room_id = n.room_id
    and q.position <= n.position and (n.thread_id = '' or n.thread_id = q.thread_id)`;

const ADD_EVENTS = `insert into push.queue (pusher_id, what, position, room_id, event_id, thread_id, tweaks, unread)
  select p.pusher_id, 'event', n.position, n.room_id, n.event_id, n.thread_id, n.tweaks, n.unread
  from json_to_recordset($1::json) n(
    user_id text, position bigint, room_id text, event_id text, thread_id text, tweaks text, unread integer)
  join push.pushers p on p.user_id = n.user_id and p.since < n.position
  order by n.position, p.pusher_id returning pusher_id`;

/** Of numbers that nobody was told yet the newest is enough, and one that was told last is not told again. */
const DROP_COUNTS = `delete from push.queue q using push.pushers p, json_to_recordset($1::json) n(user_id text)
  where p.user_id = n.user_id and q.pusher_id = p.pusher_id and q.what = 'counts'`;
const ADD_COUNTS = `insert into push.queue (pusher_id, what, unread)
  select p.pusher_id, 'counts', n.unread from json_to_recordset($1::json) n(user_id text, unread integer)
  join push.pushers p on p.user_id = n.user_id
  where coalesce(p.unread, 0) <> n.unread or exists (select from push.queue q where q.pusher_id = p.pusher_id)
  order by p.pusher_id returning pusher_id`;

/** Each in the same order, so that no two wait for each other. */
const WAKE = `update push.pushers p set due_at = coalesce(p.due_at, now())
  from (select pusher_id from push.pushers where pusher_id = any($1) order by pusher_id for update) w where p.pusher_id = w.pusher_id`;

/** Gives whether this worker still had the lease. */
async function queueNews(ctx: Context, { holder, from, upTo, epoch, news, unread }: Queueing): Promise<boolean> {
  const { notices, readings } = news;
  const events = notices.map((notice) => ({ ...notice, unread: unread.get(notice.user_id) ?? 0 }));
  // An event tells the number too.
  const told = new Set(notices.map(({ user_id }) => user_id));
  const readers = [...new Set(readings.map(({ user_id }) => user_id))].filter((userId) => !told.has(userId));
  const counts = readers.map((user_id) => ({ user_id, unread: unread.get(user_id) ?? 0 }));
  let [addedEvents, addedCounts] = [0, 0];
  const isWritten = await progress.advance(ctx, { holder, from, upTo, epoch }, async (db) => {
    const add = async (sql: string, rows: readonly object[]) =>
      rows.length === 0 ? [] : db.query<{ pusher_id: number }>(sql, [JSON.stringify(rows)]);
    await add(TAKE_BACK, readings);
    const ofEvents = await add(ADD_EVENTS, events);
    await add(DROP_COUNTS, counts);
    const ofCounts = await add(ADD_COUNTS, counts);
    const ids = [...ofEvents, ...ofCounts].map(({ pusher_id }) => pusher_id);
    if (ids.length > 0) await db.query(WAKE, [[...new Set(ids)]]);
    [addedEvents, addedCounts] = [ofEvents.length, ofCounts.length];
  });
  if (!isWritten) return false;
  const { queued } = pushMetrics(ctx);
  queued.inc({ what: "event" }, addedEvents);
  queued.inc({ what: "counts" }, addedCounts);
  if (addedEvents + addedCounts > 0) tellDue(ctx, "push", 0);
  return true;
}
