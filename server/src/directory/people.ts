/**
 * The index of people: by which words each is found. The account and auth domains feed it: an account is listed before it is
 * made, so that none is ever missing, its name follows its profile, and it is taken out when it is deactivated.
 */
import type { Context } from "../context.ts";
import { localpartOf } from "../rooms/rules/identifiers.ts";
import { fold, wordsOf } from "./fold.ts";

/** Lists an account that is about to be made. One that is listed already stays as it is. */
export async function listPerson(ctx: Context, userId: string): Promise<void> {
  await ctx.db.rooms.change(
    `with listed as (
       insert into rooms.people (user_id, localpart, name) values ($1, $2, '') on conflict do nothing returning user_id
     )
     insert into rooms.people_words (user_id, word) select user_id, unnest($3::text[]) from listed`,
    [userId, fold(localpartOf(userId)), wordsOf(localpartOf(userId))],
  );
}

/** Lists the person under a new display name; undefined for none. */
export async function renamePerson(ctx: Context, userId: string, displayname: string | undefined): Promise<void> {
  const name = displayname ?? "";
  const words = wordsOf(`${localpartOf(userId)} ${name}`);
  await ctx.db.rooms.change(
    `with listed as (
       insert into rooms.people (user_id, localpart, name) values ($1, $2, $3)
       on conflict (user_id) do update set name = excluded.name returning user_id
     ), gone as (
       delete from rooms.people_words where user_id = $1 and not word = any($4::text[])
     )
     insert into rooms.people_words (user_id, word) select user_id, unnest($4::text[]) from listed on conflict do nothing`,
    [userId, fold(localpartOf(userId)), fold(name), words],
  );
}

/** Takes the person out: nobody finds them any more. */
export async function unlistPerson(ctx: Context, userId: string): Promise<void> {
  await ctx.db.rooms.change("delete from rooms.people where user_id = $1", [userId]);
}

/** A search term, made ready. */
export interface Term {
  /** The whole of it, folded. */
  text: string;
  words: readonly string[];
}

/**
 * Those of the people who are found by the term, as user ids: each of its words begins one of theirs. Who is called so
 * exactly comes first, then those whose name begins so. With `among`, only these people are looked at.
 */
export async function findPeople(
  ctx: Context,
  { text, words }: Term,
  { among, limit }: { among?: readonly string[]; limit: number },
): Promise<string[]> {
  // The longest word is the rarest; the others are looked up for the people that it finds.
  const [first = "", ...others] = words.toSorted((a, b) => b.length - a.length);
  const values = [text, first, behind(first), others, others.map(behind), limit];
  const sql = among === undefined ? FIND : FIND_AMONG;
  const rows = await ctx.db.rooms.query<{ userId: string }>(sql, among === undefined ? values : [...values, among]);
  return rows.map((row) => row.userId);
}

/** The least text that is behind all that begin with the word, in the order of the C collation. */
function behind(word: string): string {
  return `${word}\u{10ffff}`;
}

const HAS_OTHERS = `not exists (
    select 1 from unnest($4::text[], $5::text[]) as t(low, high)
    where not exists (select 1 from rooms.people_words w where w.user_id = p.user_id and w.word >= t.low and w.word < t.high))`;
const RANKED = `order by
    case when p.localpart = $1 or p.name = $1 then 0
      when starts_with(p.localpart, $1) or starts_with(p.name, $1) then 1 else 2 end,
    p.name = '', p.user_id
  limit $6`;
const FIND = `select p.user_id as "userId"
  from (select distinct user_id from rooms.people_words where word >= $2 and word < $3) f
  join rooms.people p on p.user_id = f.user_id
  where ${HAS_OTHERS} ${RANKED}`;
const FIND_AMONG = `select p.user_id as "userId" from unnest($7::text[]) as f(user_id)
  join rooms.people p on p.user_id = f.user_id
  where exists (select 1 from rooms.people_words w where w.user_id = p.user_id and w.word >= $2 and w.word < $3)
    and ${HAS_OTHERS} ${RANKED}`;
