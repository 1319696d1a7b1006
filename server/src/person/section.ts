/**
 * What the server has of one person, in sections: each domain says what is in its own tables (for-export.ts). An export writes them
 * down, and an erasure counts them when it is done. A new table with something of people in it needs a line there.
 */
import type { Context } from "../context.ts";
import type { Database } from "../db/database.ts";
import type { Schema } from "../db/roles.ts";

export interface Page {
  /** JSON objects, as text: what clients sent stays as it is. */
  records: readonly string[];
  /** Where the next page begins; undefined behind the last one. */
  next: string | undefined;
}

export interface Section {
  /** The folder of an export that has it. */
  name: string;
  /** What is in it, for the person who reads an export. */
  about: string;
  /** The records behind `after`, which is "" at first. A page may be empty with others behind it. */
  read(ctx: Context, asked: Asked): Promise<Page>;
}

export interface Asked {
  userId: string;
  after: string;
  /** How many records at the most; where they have to be searched for, others decide. */
  limit: number;
}

export interface Records {
  name: string;
  about: string;
  schema: Schema & keyof Database;
  /** An SQL expression by which records are ordered and told apart. */
  key: string;
  /** An SQL expression of type json. */
  record: string;
  /** What follows `from`, with `$1` for the user id, up to its conditions. */
  from: string;
}

/** A section whose records are rows of one query. */
export function sectionOf({ name, about, schema, key, record, from }: Records): Section {
  const text = `(${key})::text collate "C"`;
  const sql = `select (${key})::text as key, (${record})::text as record from ${from} and ${text} > $2 order by ${text} limit $3`;
  return {
    name,
    about,
    async read(ctx, { userId, after, limit }) {
      const rows = await ctx.db[schema].query<{ key: string; record: string }>(sql, [userId, after, limit]);
      const next = rows.length === limit ? rows.at(-1)?.key : undefined;
      return { records: rows.map(({ record }) => record), next };
    },
  };
}

/** An SQL expression: a moment as the number of milliseconds that Matrix counts. */
export function ts(column: string): string {
  return `floor(extract(epoch from ${column}) * 1000)::bigint`;
}
