/** What operators see of rooms in a list: counts and names, never what anybody said. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { readBlocked } from "./blocked.ts";

export const roomOrders = ["room_id", "name", "-members", "-last_activity"] as const;
export type RoomOrder = (typeof roomOrders)[number];

export interface RoomFilter {
  /** Part of a name or an alias, or a whole room id. */
  q?: string | undefined;
  encrypted?: boolean | undefined;
  space?: boolean | undefined;
  joinRule?: string | undefined;
  /** Whether nobody is in it. */
  empty?: boolean | undefined;
  /** Only these, or all but these. */
  among?: { roomIds: readonly string[]; isIn: boolean } | undefined;
}

export interface RoomsAsked extends RoomFilter {
  order: RoomOrder;
  after?: { key: string | number; roomId: string } | undefined;
  limit: number;
}

/** A text of a state event's content. One with a character that PostgreSQL's texts can not hold counts as absent. */
function textOf(alias: string, key: string): string {
  return `case when ${alias}.body ~ '\\\\u(0000|d[89a-f])' then null else ${alias}.body::json -> 'content' ->> '${key}' end`;
}

function stateText(type: string, key: string): string {
  return `(select ${textOf("e", key)} from log.state s join log.entries e on e.position = s.position
    where s.room_id = r.room_id and s.type = '${type}' and s.state_key = '')`;
}

const NAME = stateText("m.room.name", "name");
const ALIAS = stateText("m.room.canonical_alias", "alias");
const MEMBERS = "(select count(*) from log.members m where m.room_id = r.room_id and m.membership = 'join')";
const LAST = `coalesce((select e.ts from log.entries e where e.kind = 'event' and e.room_id = r.room_id order by e.position desc limit 1), 0)`;
const ENCRYPTED =
  "exists (select from log.state s where s.room_id = r.room_id and s.type = 'm.room.encryption' and s.state_key = '')";
const TYPE = stateText("m.room.create", "type");
const JOIN_RULE = stateText("m.room.join_rules", "join_rule");

const KEYS: Readonly<Record<RoomOrder, { key: string; type: string }>> = {
  room_id: { key: "r.room_id", type: "text" },
  name: { key: `lower(coalesce(${NAME}, ${ALIAS}, ''))`, type: "text" },
  "-members": { key: `-${MEMBERS}`, type: "bigint" },
  "-last_activity": { key: `-${LAST}`, type: "bigint" },
};

/** Rooms with such a name or alias, found once for all. $8 is the term as JSON has it: what has it not is not taken apart. */
const NAMED = `select s.room_id from log.state s join log.entries e on e.position = s.position
  where s.type in ('m.room.name', 'm.room.canonical_alias') and s.state_key = '' and strpos(lower(e.body), lower($8)) > 0
    and strpos(lower(coalesce(${textOf("e", "name")}, ${textOf("e", "alias")})), lower($1)) > 0`;

const WANTED = `($1::text is null or r.room_id = $1 or r.room_id in (${NAMED}))
  and ($2::boolean is null or ${ENCRYPTED} = $2)
  and ($3::boolean is null or (coalesce(${TYPE}, '') = 'm.space') = $3)
  and ($4::text is null or coalesce(${JOIN_RULE}, 'invite') = $4)
  and ($5::boolean is null or (${MEMBERS} = 0) = $5)
  and ($6::text[] is null or (r.room_id = any ($6)) = $7)`;

/** One text for each order: the statements are prepared by their texts. */
const PAGES = Object.fromEntries(
  Object.entries(KEYS).map(([order, { key, type }]) => [
    order,
    `select r.room_id as "roomId", k.key from log.rooms r cross join lateral (select ${key} as key) k
     where ($9::${type} is null or (k.key, r.room_id) > ($9::${type}, $10)) and ${WANTED}
     order by k.key, r.room_id limit $11`,
  ]),
) as Record<RoomOrder, string>;

function filterValues({ q, encrypted, space, joinRule, empty, among }: RoomFilter): unknown[] {
  const given = [q || null, encrypted ?? null, space ?? null, joinRule ?? null, empty ?? null];
  return [...given, among?.roomIds ?? null, among?.isIn ?? null, JSON.stringify(q ?? "").slice(1, -1)];
}

/** One page of room ids with what they are sorted by. */
export function listRooms(ctx: Context, asked: RoomsAsked): Promise<{ roomId: string; key: string | number }[]> {
  const { order, after, limit } = asked;
  return ctx.db.log.query(PAGES[order], [...filterValues(asked), after?.key ?? null, after?.roomId ?? null, limit]);
}

const COUNT = `select count(*) as count from log.rooms r where ${WANTED}`;

export async function countRooms(ctx: Context, filter: RoomFilter): Promise<number> {
  return (await ctx.db.log.one<{ count: number }>(COUNT, filterValues(filter)))?.count ?? 0;
}

export interface ListedRoom {
  room_id: string;
  name: string | null;
  canonical_alias: string | null;
  type: string | null;
  version: string;
  members: number;
  encrypted: boolean;
  join_rule: string;
  creator: string;
  last_activity_ts: number | null;
  events: number;
  state_events: number;
  blocked: boolean;
}

const DETAILS = `select r.room_id, ${NAME} as name, ${ALIAS} as canonical_alias, ${TYPE} as type, r.room_version as version,
    ${MEMBERS} as members, ${ENCRYPTED} as encrypted, coalesce(${JOIN_RULE}, 'invite') as join_rule,
    (select e.user_id from log.state s join log.entries e on e.position = s.position
     where s.room_id = r.room_id and s.type = 'm.room.create' and s.state_key = '') as creator,
    nullif(${LAST}, 0) as last_activity_ts,
    (select count(*) from (select from log.entries e where e.kind = 'event' and e.room_id = r.room_id limit $2) c) as events,
    (select count(*) from log.state s where s.room_id = r.room_id)
      + (select count(*) from log.members m where m.room_id = r.room_id) as state_events
  from unnest($1::text[]) with ordinality as asked(room_id, n) join log.rooms r using (room_id) order by asked.n`;

/** What a list shows of these rooms, in their order. Events are counted up to `limits.roomCount_events`. */
export async function describeRooms(ctx: Context, roomIds: readonly string[]): Promise<ListedRoom[]> {
  const [rooms, blocked] = await Promise.all([
    ctx.db.log.query<Omit<ListedRoom, "blocked">>(DETAILS, [roomIds, limits.roomCount_events]),
    readBlocked(ctx, roomIds),
  ]);
  return rooms.map((room) => ({ ...room, blocked: blocked.has(room.room_id) }));
}

export interface RoomCounts {
  events: number;
  messages: number;
  receipts: number;
}

/** How much there is of a room: counted one by one. */
export async function countRoom(ctx: Context, roomId: string): Promise<RoomCounts> {
  const row = await ctx.db.log.one<RoomCounts>(
    `select count(*) as events, count(*) filter (where e.state_key is null) as messages,
       (select count(*) from log.receipts where room_id = $1) as receipts
     from log.entries e where e.kind = 'event' and e.room_id = $1`,
    [roomId],
  );
  return row ?? { events: 0, messages: 0, receipts: 0 };
}
