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

export interface Found {
  /** User ids: who is called so exactly comes first, then those whose name begins so. */
  userIds: string[];
  /** Whether there may be more than were looked at. */
  isCut: boolean;
}

/** Those of the given people who are found by the term: each of its words begins one of theirs. */
export async function findAmong(ctx: Context, term: Term, among: readonly string[]): Promise<string[]> {
  return (await ctx.db.rooms.query<{ userId: string }>(AMONG, [...valuesOf(term), among])).map((row) => row.userId);
}

/**
 * People who are found by the term, of all that there are. It looks at `most` people whose id, as many whose name, and as many
 * of whose words begin like it: what it costs does not grow with the number of accounts.
 */
export async function findPeople(ctx: Context, term: Term, most: number): Promise<Found> {
  const { text } = term;
  const values = [...valuesOf(term), behind(text), most];
  const rows = await ctx.db.rooms.query<{ userId: string; isCut: boolean }>(ALL, values);
  return { userIds: rows.map((row) => row.userId), isCut: rows[0]?.isCut ?? false };
}

/** The longest word is the rarest; the others are looked up for the people that it finds. */
function valuesOf({ text, words }: Term): unknown[] {
  const [first = "", ...others] = words.toSorted((a, b) => b.length - a.length);
  return [text, first, behind(first), others, others.map(behind)];
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
    p.name = '', p.user_id`;
const AMONG = `select p.user_id as "userId" from unnest($6::text[]) as f(user_id)
  join rooms.people p on p.user_id = f.user_id
  where exists (select 1 from rooms.people_words w where w.user_id = p.user_id and w.word >= $2 and w.word < $3)
    and ${HAS_OTHERS} ${RANKED}`;
const ALL = `with by_id as (
    select user_id from rooms.people where localpart >= $1 and localpart < $6 order by localpart limit $7
  ), by_name as (
    select user_id from rooms.people where name >= $1 and name < $6 order by name limit $7
  ), by_word as (
    select user_id from rooms.people_words where word >= $2 and word < $3 order by word limit $7
  )
  select p.user_id as "userId",
    greatest((select count(*) from by_id), (select count(*) from by_name), (select count(*) from by_word)) >= $7 as "isCut"
  from (select user_id from by_id union select user_id from by_name union select user_id from by_word) f
  join rooms.people p on p.user_id = f.user_id
  where ${HAS_OTHERS} ${RANKED}`;
