/**
 * What the schema of a database is, and whether this code may run on it; nothing here changes it. Waiting for it is how processes
 * start whose database user may not migrate: `PARLEY_MIGRATE=wait`, `parley release wait`.
 */
import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { pause, type Seams } from "../seams.ts";
import { type Applied, type Migration, pending, readMigration } from "./compatibility.ts";
import { connectOwner, sqlState } from "./database.ts";
import { schemas, type Schema } from "./roles.ts";

export const MIGRATIONS = new URL("./migrations/", import.meta.url);

/** The migrations of this code, schema by schema, each in its order. */
export async function readKnown(folder = MIGRATIONS): Promise<Migration[]> {
  return (await Promise.all(schemas.map((schema) => readMigrations(schema, folder)))).flat();
}

async function readMigrations(schema: Schema, folder: URL): Promise<Migration[]> {
  const files = new URL(`${schema}/`, folder);
  const names = (await readdir(files)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(
    names.map(async (name) => readMigration(schema, name, await readFile(new URL(name, files), "utf8"))),
  );
}

export async function readApplied(client: pg.ClientBase): Promise<Applied[]> {
  const sql = `select schema, number, name, compatible_since as "compatibleSince" from parley.migrations`;
  return (await client.query<Applied>(sql)).rows;
}

/** No such schema, no such table, and no right to read it yet: nobody has migrated this database for us so far. */
const NOT_MIGRATED = ["3F000", "42P01", "42703", "42501"];

/** As readApplied; none where nobody has migrated yet. */
export async function readAppliedSoFar(client: pg.ClientBase): Promise<Applied[]> {
  try {
    return await readApplied(client);
  } catch (thrown) {
    if (NOT_MIGRATED.includes(sqlState(thrown) ?? "")) return [];
    throw thrown;
  }
}

export interface WaitForSchema {
  url: string;
  seams: Seams;
  timeout_ms: number;
  onProgress?(text: string): void;
  folder?: URL | undefined;
  /** Calls it off; it then rejects with the reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Resolves when the database has every migration of this code, with its rights set. A database that is away is waited for too.
 * Throws StartError at once where it has one that this code may not run beside, and when the time is over.
 */
export async function waitForSchema(options: WaitForSchema): Promise<void> {
  const { url, seams, timeout_ms, onProgress = () => {}, folder, signal } = options;
  const known = await readKnown(folder);
  const until_ms = seams.monotonic_ms() + timeout_ms;
  let told = "";
  for (;;) {
    const missing = await whatIsMissing(url, known);
    if (missing === undefined) return;
    if (missing !== told) onProgress(`waiting: ${missing}`);
    told = missing;
    if (seams.monotonic_ms() >= until_ms)
      throw new StartError(
        `After ${Math.round(timeout_ms / 1_000)} s still: ${missing}. Run "parley release db" with this version, and see what it says.`,
      );
    await pause(seams, limits.schemaPoll_ms, signal);
  }
}

/** A sentence, or undefined where nothing is missing. Throws StartError where waiting can not help. */
async function whatIsMissing(url: string, known: readonly Migration[]): Promise<string | undefined> {
  let client;
  try {
    client = await connectOwner(url, "parley wait");
  } catch (thrown) {
    return asError(thrown).message.replace(/\.$/, "");
  }
  try {
    const missing = pending(known, await readAppliedSoFar(client));
    const names = missing.map(({ schema, name }) => `${schema}/${name}`);
    if (names.length > 0) return `the database has not yet ${names.slice(0, 3).join(", ")}${andMore(names.length - 3)}`;
    if (!(await areRightsSet(client))) return "the rights of the last migration are not set yet";
    await refuseWeakDurability(client);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof StartError) throw thrown;
    return asError(thrown).message;
  } finally {
    await client.end().catch(() => {});
  }
}

function andMore(count: number): string {
  return count > 0 ? ` and ${count} more migrations` : "";
}

async function areRightsSet(client: pg.ClientBase): Promise<boolean> {
  return (await client.query("select from parley.migrations where granted_at is null")).rowCount === 0;
}

/** G1: an answer of 200 means that the change is on disk. */
export async function refuseWeakDurability(client: pg.ClientBase): Promise<void> {
  for (const setting of ["fsync", "full_page_writes"]) {
    const { rows } = await client.query<{ value: string }>("select current_setting($1) as value", [setting]);
    if (rows[0]?.value !== "on")
      throw new StartError(
        `The database runs with ${setting} = ${rows[0]?.value}, so a crash would lose messages that people were told are sent. Set ${setting} = on in postgresql.conf.`,
      );
  }
}
