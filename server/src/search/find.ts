/**
 * Finds events by their words, for one person. First in which of their rooms there is anything at all; then what of these rooms they
 * may see; and only of that are matches counted, ranked and given: not even a number tells of what is hidden.
 */
import { ignoredUsersOf } from "../account/ignored-users.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { type Reading, readingIn } from "../messages/reading.ts";
import { readAccess } from "../rooms/access.ts";
import type { Wanted } from "./request.ts";
import { queryOf, roomLexeme } from "./words.ts";

export interface Match {
  eventId: string;
  roomId: string;
  position: number;
  rank: number;
}

export interface Found {
  matches: Match[];
  /** How many there are on all pages. */
  count: number;
  /** Of the rooms with matches. */
  readings: ReadonlyMap<string, Reading>;
}

const NOTHING: Found = { matches: [], count: 0, readings: new Map() };

const MATCHES = `e.words @@ $1::tsquery and ($2::text[] is null or e.room_id = any($2)) and e.type = any($3::text[]) and e.position > $4
  and ($5::text[] is null or e.sender = any($5)) and not e.sender = any($6::text[])
  and (e.type <> 'm.room.message' or not e.sender = any($7::text[])) and ($8::boolean is null or e.has_url = $8)`;

type Values = [
  query: string,
  rooms: readonly string[] | null,
  types: readonly string[],
  floor: number,
  ...rest: unknown[],
];

/** The matches of one page, in their order. `session` is who searches. */
export async function findMatches(ctx: Context, session: Reading["session"], wanted: Wanted): Promise<Found> {
  const memberships = await ctx.rooms.memberships(session.userId);
  const own = [...memberships.keys()].filter(wanted.wantsRoom);
  if (own.length === 0 || wanted.term.parts.length === 0 || wanted.types.length === 0) return NOTHING;
  const values = await valuesFor(ctx, session.userId, { wanted, own });
  const rooms = await roomsWith(ctx, values);
  const readings = await readAll(ctx, session, rooms);
  if (readings.size === 0) return NOTHING;
  return { ...(await readPage(ctx, wanted, { values, readings })), readings };
}

async function valuesFor(
  ctx: Context,
  userId: string,
  { wanted, own }: { wanted: Wanted; own: readonly string[] },
): Promise<Values> {
  const { term, types, senders, notSenders, containsUrl } = wanted;
  const text = queryOf(term, { withBeginnings: true });
  // A few rooms are found by the index itself; of many it would take longer than to look at what it finds.
  const isNamed = own.length <= limits.searchNamed_rooms;
  const query = isNamed ? `(${own.map(roomLexeme).join(" | ")}) & ${text}` : text;
  const ignored = [...(await ignoredUsersOf(ctx, userId))];
  return [query, isNamed ? null : own, types, 0, senders ?? null, notSenders, ignored, containsUrl ?? null];
}

const ROOMS = `select room_id as "roomId", count(*) as count from (
    select e.room_id, e.position from search.events e where ${MATCHES} limit $9) m
  group by room_id order by max(position) desc`;

/** The rooms in which there is anything, the newest match first. Where there are too many matches, the floor in `values` is raised. */
async function roomsWith(ctx: Context, values: Values): Promise<string[]> {
  const head = ctx.log.hub.head();
  for (;;) {
    const rows = await ctx.db.search.query<{ roomId: string; count: number }>(ROOMS, [...values, limits.searchMatches]);
    const total = rows.reduce((sum, { count }) => sum + count, 0);
    if (total < limits.searchMatches || head - values[3] <= limits.searchMatches)
      return rows.slice(0, limits.search_rooms).map(({ roomId }) => roomId);
    values[3] += Math.ceil((head - values[3]) / 2);
  }
}

/** How many rooms are read at the same time. */
const AT_ONCE = 8;

async function readAll(
  ctx: Context,
  session: Reading["session"],
  roomIds: readonly string[],
): Promise<Map<string, Reading>> {
  const readings = new Map<string, Reading>();
  for (let start = 0; start < roomIds.length; start += AT_ONCE)
    await Promise.all(
      roomIds.slice(start, start + AT_ONCE).map(async (roomId) => {
        const room = await ctx.rooms.find(roomId);
        // Of a room that is encrypted since a moment ago nothing is told either.
        if (!room || room.get("m.room.encryption") || !(await readAccess(ctx, room, session.userId)).mayRead) return;
        readings.set(roomId, await readingIn(ctx, room, session));
      }),
    );
  return readings;
}

/**
 * The matches are found before it is looked whether they are seen: the planner would begin with the rooms, and read all that is in them.
 * Of an edited event the words are those of its newest edit, so that one must be seen too: guess by guess they could be read otherwise.
 */
const pageIn = (behind: string, order: string) => `with matching as materialized (
    select e.event_id, e.room_id, e.sender, e.position, e.edit_position,
      ts_rank('{0,0,0,0.1}', r.words, $9::tsquery, 1)::float8 + ts_rank('{0,0,0,0.1}', r.words, $10::tsquery, 1)::float8 as rank
    from search.events e cross join lateral (select ts_filter(e.words, '{a}') as words) r where ${MATCHES} limit $14
  ), sight as materialized (
    select * from unnest($11::text[], $12::bigint[], $13::bigint[]) as s(room_id, first, last)
  ), seen as materialized (
    select m.* from matching m join sight s on m.room_id = s.room_id and m.position between s.first and s.last
    where m.edit_position is null
      or exists (select from sight t where t.room_id = m.room_id and m.edit_position between t.first and t.last)
  ), page as (
    select event_id, room_id, position, rank from seen
    where ($16::bigint is null or ${behind}) and ($17::text is null or room_id = $17) and ($18::text is null or sender = $18)
    order by ${order} limit $19
  )
  select (select count(*) from seen) as count, p.event_id as "eventId", p.room_id as "roomId", p.position, p.rank
  from (select 1) one left join page p on true order by ${order}`;

/** Of what is found equally well the oldest comes first: so a page that is read on later does not move. */
const PAGES = {
  rank: pageIn("rank < $15::float8 or (rank = $15 and position > $16)", "rank desc, position"),
  recent: pageIn("$15::float8 is not null and position < $16", "position desc"),
};

async function readPage(
  ctx: Context,
  { term, by, limit, after }: Wanted,
  { values, readings }: { values: Values; readings: ReadonlyMap<string, Reading> },
): Promise<Pick<Found, "matches" | "count">> {
  const ranges = [...readings].flatMap(([roomId, { sight }]) => sight.ranges.map((range) => ({ roomId, ...range })));
  const [groupKey, group] = after?.group ?? [];
  const rows = await ctx.db.search.query<Match & { count: number; eventId: string | null }>(PAGES[by], [
    ...values,
    queryOf(term, { withBeginnings: false }),
    queryOf(term, { withBeginnings: true }),
    ranges.map(({ roomId }) => roomId),
    ranges.map(({ first }) => first),
    ranges.map(({ last }) => last),
    limits.searchMatches,
    after?.rank ?? null,
    after?.position ?? null,
    groupKey === "room_id" ? group : null,
    groupKey === "sender" ? group : null,
    limit,
  ]);
  const matches = rows.filter(({ eventId }) => eventId !== null);
  return { matches, count: rows[0]?.count ?? 0 };
}
