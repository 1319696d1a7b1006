/** What unread counts are made of, read for those who ask at the same time together. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { DELIVERED, ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { openLookup } from "../lookups.ts";

export interface Receipt {
  roomId: string;
  threadId: string;
  position: number;
}

export interface Join {
  roomId: string;
  position: number;
}

export interface UnreadLookups {
  /** A person's own receipts in the rooms. */
  receipts(asked: RoomsAsked): Promise<Receipt[]>;
  /** Since when a person is in the rooms. */
  joins(asked: RoomsAsked): Promise<Join[]>;
  /** The events after each room's read receipt, a person's own among them, the oldest first, and no more of a room than are worth counting. */
  unread(asked: UnreadAsked): Promise<LogEntry[]>;
}

export function openUnreadLookups(ctx: Context): UnreadLookups {
  return {
    receipts: openLookup({
      most: limits.lookupUnread_users,
      ask: (asked: readonly RoomsAsked[]) => readReceipts(ctx, asked),
    }),
    joins: openLookup({
      most: limits.lookupUnread_users,
      ask: (asked: readonly RoomsAsked[]) => readJoins(ctx, asked),
    }),
    unread: openLookup({
      most: limits.lookupUnread_users,
      ask: (asked: readonly UnreadAsked[]) => readUnread(ctx, asked),
    }),
  };
}

interface RoomsAsked {
  userId: string;
  roomIds: readonly string[];
}

/** Each person's own receipts in the rooms. */
async function readReceipts(ctx: Context, asked: readonly RoomsAsked[]): Promise<Receipt[][]> {
  const pairs = asked.flatMap(({ userId, roomIds }, n) => roomIds.map((roomId) => ({ n, userId, roomId })));
  const rows = await ctx.db.log.query<Receipt & { n: number }>(
    `select a.n, r.room_id as "roomId", r.thread_id as "threadId", r.event_position as position
     from unnest($1::int[], $2::text[], $3::text[]) a(n, user_id, room_id)
     join log.receipts r on r.user_id = a.user_id and r.room_id = a.room_id where r.type <> $4`,
    [pairs.map(({ n }) => n), pairs.map(({ userId }) => userId), pairs.map(({ roomId }) => roomId), DELIVERED],
  );
  const byAsker = Map.groupBy(rows, ({ n }) => n);
  return asked.map((_, n) => byAsker.get(n) ?? []);
}

/** The first join of each person behind the last time that they were not in the room. */
async function readJoins(ctx: Context, asked: readonly RoomsAsked[]): Promise<Join[][]> {
  const pairs = asked.flatMap(({ userId, roomIds }, n) => roomIds.map((roomId) => ({ n, userId, roomId })));
  const rows = await ctx.db.log.query<Join & { n: number }>(
    `select a.n, a.room_id as "roomId", j.position
     from unnest($1::int[], $2::text[], $3::text[]) a(n, user_id, room_id) cross join lateral (
       select min(m.position) filter (where m.position > m.away) as position from (
         select e.position, coalesce(max(e.position) filter (where e.body::json #>> '{content,membership}' <> 'join') over (), 0) as away
         from log.entries e
         where e.kind = 'event' and e.room_id = a.room_id and e.type = 'm.room.member' and e.state_key = a.user_id
       ) m
     ) j where j.position is not null`,
    [pairs.map(({ n }) => n), pairs.map(({ userId }) => userId), pairs.map(({ roomId }) => roomId)],
  );
  const byAsker = Map.groupBy(rows, ({ n }) => n);
  return asked.map((_, n) => byAsker.get(n) ?? []);
}

interface UnreadAsked {
  userId: string;
  head: number;
  started: ReadonlyMap<string, { readUpTo: number }>;
}

/** For each person the events after each room's read receipt, the oldest first, and no more of a room than are worth counting. */
async function readUnread(ctx: Context, asked: readonly UnreadAsked[]): Promise<LogEntry[][]> {
  const rooms = asked.flatMap(({ userId, head, started }, n) =>
    [...started].map(([roomId, { readUpTo }]) => ({ n, userId, head, roomId, readUpTo })),
  );
  const rows = await ctx.db.log.query<LogEntry & { n: number }>(
    `select r.n, e.* from unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) r(n, user_id, id, read_up_to, head)
     cross join lateral (
       select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = r.id and e.position > r.read_up_to and e.position <= r.head
       order by e.position desc limit $6
     ) e order by e.position`,
    [
      rooms.map(({ n }) => n),
      rooms.map(({ userId }) => userId),
      rooms.map(({ roomId }) => roomId),
      rooms.map(({ readUpTo }) => readUpTo),
      rooms.map(({ head }) => head),
      limits.unreadScan_events,
    ],
  );
  const byAsker = Map.groupBy(rows, ({ n }) => n);
  return asked.map((_, n) => byAsker.get(n) ?? []);
}
