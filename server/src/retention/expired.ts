/**
 * Which messages are over their time. State is never among them, nor what a person wrote whom a hold keeps. An edit and a reaction
 * go with what they are about, and sooner where they are older: an edit is the same message, and neither is seen without it.
 */
import type { Context } from "../context.ts";

const IS_MESSAGE = "e.kind = 'event' and e.state_key is null";

/** Of the room's next messages behind `after` those that are over their time, with what goes with them. */
const NEXT = `with looked as (
    select e.position, e.event_id, e.user_id, e.ts from log.entries e
    where ${IS_MESSAGE} and e.room_id = $1 and e.position > $2 order by e.position limit $5
  ), old as (
    select position, event_id from looked where ts < $3 and not user_id = any ($4::text[])
  )
  select (select max(position) from looked) as last, (select count(*) from looked) as looked, array(
    select position from old
    union
    select e.position from old join log.entries e on e.relates_to = old.event_id
    where ${IS_MESSAGE} and e.room_id = $1 and e.relation_type in ('m.replace', 'm.annotation') and not e.user_id = any ($4::text[])
  ) as positions`;

export interface Expired {
  /** Where the next look begins; null where there was nothing behind `after`. */
  last: number | null;
  /** How many messages were looked at. */
  looked: number;
  positions: number[];
}

export async function nextExpired(
  ctx: Context,
  asked: { roomId: string; after: number; before_ms: number; heldUsers: readonly string[]; limit: number },
): Promise<Expired> {
  const { roomId, after, before_ms, heldUsers, limit } = asked;
  const row = await ctx.db.log.one<Expired>(NEXT, [roomId, after, before_ms, heldUsers, limit]);
  return row ?? { last: null, looked: 0, positions: [] };
}

const COUNT = `select r.room_id as "roomId", c.messages, c.oldest as "oldest_ts"
  from unnest($1::text[], $2::bigint[]) r(room_id, before_ms) cross join lateral (
    select count(*) as messages, min(e.ts) as oldest from log.entries e
    where ${IS_MESSAGE} and e.room_id = r.room_id and not e.user_id = any ($3::text[]) and (e.ts < r.before_ms
      or e.relation_type in ('m.replace', 'm.annotation') and exists (
        select from log.entries p where p.event_id = e.relates_to and p.room_id = e.room_id and p.kind = 'event'
          and p.state_key is null and p.ts < r.before_ms and not p.user_id = any ($3::text[])))
  ) c where c.messages > 0`;

export interface ExpiredCount {
  roomId: string;
  messages: number;
  oldest_ts: number;
}

/** How many messages of each of these rooms are over their time; rooms without any are left out. */
export function countExpired(
  ctx: Context,
  { rooms, heldUsers }: { rooms: readonly { roomId: string; before_ms: number }[]; heldUsers: readonly string[] },
): Promise<ExpiredCount[]> {
  return ctx.db.log.query<ExpiredCount>(COUNT, [
    rooms.map(({ roomId }) => roomId),
    rooms.map(({ before_ms }) => before_ms),
    heldUsers,
  ]);
}

/** The database's time: the clocks of processes may be wrong, and this decides what is gone for good. */
export async function databaseNow(ctx: Context): Promise<number> {
  const row = await ctx.db.log.one<{ now: number }>("select floor(extract(epoch from now()) * 1000)::bigint as now");
  return row?.now as number;
}
