// Where a text is to be found in what a server has kept: its tables, its files and what it wrote to its log.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import pg from "pg";
import type { ParleyProcess } from "./process.ts";

/** The tables, of all schemas, with a row that has the text in it, in whatever form: "log.entries". */
export async function tablesWith({ dataDir }: ParleyProcess, text: string): Promise<string[]> {
  const client = new pg.Client({ host: join(dataDir, "postgres/socket"), user: "parley", database: "postgres" });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
       where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const patterns = formsOf(text).map((form) => `%${form.toString("latin1").toLowerCase()}%`);
    const found: string[] = [];
    for (const { name } of tables) {
      const sql = `select 1 from ${name} as row where lower(row::text) like any ($1) limit 1`;
      if ((await client.query(sql, [patterns])).rowCount) found.push(name);
    }
    return found;
  } finally {
    await client.end();
  }
}

/** The files below a directory that have the text in them, in whatever form; among them the database's own, and its WAL. */
export function filesWith(directory: string, text: string): string[] {
  const forms = formsOf(text);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return forms.some((form) => bytes.includes(form));
    })
    .map((path) => relative(directory, path));
}

/** The lines of a log that have the text in them, in whatever form. */
export function linesWith(log: string, text: string): string[] {
  const forms = formsOf(text).map((form) => form.toString("latin1"));
  return log.split("\n").filter((line) => forms.some((form) => line.includes(form)));
}

/** The text as it is, in hexadecimal, and as each of the three ways in which it can lie within base64. */
function formsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The first and the last characters also depend on what stands around the text.
    return Buffer.from(encoded.slice(before === 0 ? 0 : before + 1, -1));
  });
  return [bytes, Buffer.from(bytes.toString("hex")), ...base64];
}
