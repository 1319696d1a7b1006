/**
 * `POST /user_directory/search`: people by their names and ids. A person finds those with whom they share a room and those who
 * are in a room that is open to everybody; and anyone at all by the whole user id.
 * Specification: client-server-api, "User Directory".
 *
 * Most people know few others, so the search first asks who is around the searcher, and looks among those. Only where that are
 * very many does it go the other way: from those who are found by the words to whether the searcher may see them.
 */
import { z } from "zod";
import { profilesOf } from "../account/profile.ts";
import { listableAmong } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { isUserId } from "../rooms/rules/identifiers.ts";
import { fold, wordsOf } from "./fold.ts";
import { openRooms } from "./open-rooms.ts";
import { findAmong, findPeople, type Found, type Term } from "./people.ts";

export const userSearch = route({
  method: "POST",
  path: "/_matrix/client/v3/user_directory/search",
  alsoAt: ["/_matrix/client/unstable/user_directory/search"],
  access: "session",
  rate: "search",
  body: z.looseObject({ search_term: z.string(), limit: z.int().min(0).optional() }),
  async handle({ session: { userId }, body }, ctx) {
    const limit = Math.min(body.limit ?? limits.userSearchDefault_users, limits.userSearch_users);
    const term = termOf(ctx, body.search_term);
    // One more than asked for tells whether there are more; the searcher may be among them.
    const search = { term, searcher: userId, most: limit + 2 };
    const found = term.words.length === 0 ? { userIds: [], isCut: false } : await visibleMatches(ctx, search);
    const named = exactly(body.search_term);
    const matches = [...new Set([...named, ...found.userIds])];
    const listable = await listableAmong(ctx, matches);
    const isSelfShown = matches.includes(userId) && (await isInOpenRoom(ctx, userId));
    // Whoever is named by their id alone must be there at all.
    const isShown = (each: string) => listable.get(each) ?? !named.includes(each);
    const all = matches.filter((each) => isShown(each) && (each !== userId || isSelfShown));
    return { results: await tell(ctx, all.slice(0, limit)), limited: found.isCut || all.length > limit };
  },
});

/** `@anna:here` and its beginnings are looked for by the local part. */
function termOf(ctx: Context, text: string): Term {
  const trimmed = text.trim();
  const [localpart = "", server] = trimmed.replace(/^@/, "").split(":", 2);
  const isUserId = trimmed.startsWith("@") && server !== undefined && ctx.config.serverName.startsWith(server);
  const meant = fold(isUserId ? localpart : trimmed.replace(/^@/, ""));
  return { text: meant, words: wordsOf(meant).slice(0, limits.userSearch_words) };
}

/** Who is named by the whole user id. */
function exactly(text: string): string[] {
  const userId = text.trim();
  return isUserId(userId) ? [userId] : [];
}

/** Whoever everybody finds, finds themselves: a client that looks whether they are listed must see that they are. */
async function isInOpenRoom(ctx: Context, userId: string): Promise<boolean> {
  const [open, memberships] = await Promise.all([openRooms(ctx), ctx.rooms.memberships(userId)]);
  return [...memberships].some(([roomId, { membership }]) => membership === "join" && open.has(roomId));
}

interface Search {
  term: Term;
  searcher: string;
  /** How many results to look for. */
  most: number;
}

async function visibleMatches(ctx: Context, { term, searcher, most }: Search): Promise<Found> {
  const memberships = await ctx.rooms.memberships(searcher);
  const own = [...memberships].filter(([, { membership }]) => membership === "join").map(([roomId]) => roomId);
  const rooms = [...new Set([...(await openRooms(ctx)), ...own])];
  const circle = await peopleIn(ctx, rooms);
  if (circle) return { userIds: await findAmong(ctx, term, circle), isCut: false };
  return searchAll(ctx, { term, rooms, most });
}

/** Everybody who is joined to one of the rooms; undefined where they are too many to look at each. */
async function peopleIn(ctx: Context, rooms: readonly string[]): Promise<string[] | undefined> {
  const rows = await ctx.db.log.query<{ userId: string; read: number }>(
    `with met as (
       select user_id from log.members where room_id = any($1) and membership = 'join' limit $2
     ) select user_id as "userId", (select count(*) from met) as read from met group by user_id limit $3`,
    [rooms, limits.userSearchCircle_memberships, limits.userSearchCircle_users + 1],
  );
  const isCut = rows.length > limits.userSearchCircle_users || rows[0]?.read === limits.userSearchCircle_memberships;
  return isCut ? undefined : rows.map((row) => row.userId);
}

/** Looks at more and more of those who are found by the term, until enough of them are seen. */
async function searchAll(
  ctx: Context,
  { term, rooms, most }: { term: Term; rooms: readonly string[]; most: number },
): Promise<Found> {
  for (let look = limits.userSearchFirst_users; ; look *= limits.userSearchGrowth_factor) {
    const { userIds, isCut } = await findPeople(ctx, term, look);
    const seen: string[] = [];
    for (let start = 0; start < userIds.length && seen.length < most; start += limits.userSearchBatch_users)
      seen.push(...(await whoIsIn(ctx, rooms, userIds.slice(start, start + limits.userSearchBatch_users))));
    if (!isCut || seen.length >= most || look >= limits.userSearchScan_users) return { userIds: seen, isCut };
  }
}

/** Those of the people who are joined to one of the rooms, in the order in which they were given. */
async function whoIsIn(ctx: Context, rooms: readonly string[], userIds: readonly string[]): Promise<string[]> {
  const rows = await ctx.db.log.query<{ userId: string }>(
    `with theirs as materialized (
       select u.user_id, m.room_id
       from unnest($2::text[]) as u(user_id)
       -- "offset 0" keeps the planner from going through all members of all rooms where it has no statistics yet.
       cross join lateral (select room_id, membership from log.members where user_id = u.user_id offset 0) m
       where m.membership = 'join'
     ) select distinct user_id as "userId" from theirs where room_id in (select unnest($1::text[]))`,
    [rooms, userIds],
  );
  const there = new Set(rows.map((row) => row.userId));
  return userIds.filter((userId) => there.has(userId));
}

async function tell(ctx: Context, userIds: readonly string[]): Promise<object[]> {
  const profiles = await profilesOf(ctx, userIds);
  return userIds.map((user_id) => {
    const { displayname, avatar_url } = profiles.get(user_id) ?? {};
    const hasAvatar = avatar_url?.startsWith("mxc://");
    return { user_id, ...(displayname && { display_name: displayname }), ...(hasAvatar && { avatar_url }) };
  });
}
