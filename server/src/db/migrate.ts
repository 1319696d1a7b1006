/**
 * Forward-only migrations: `migrations/<schema>/NNNN_name.sql`, each run once, in order, in its own transaction, under an
 * advisory lock so that replicas which start together do not race. Replicas of the release before may be serving meanwhile:
 * a migration that does not get its locks at once lets them pass and tries again. Which code may run on which schema is
 * decided in compatibility.ts.
 */
import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Applied, type Migration, pending, readMigration } from "./compatibility.ts";
import { connectOwner, sqlState } from "./database.ts";
import { mayAppendOne, roleOf, schemas, type Schema } from "./roles.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
/** Any constant does, so long as every version of Parley uses the same. */
const LOCK_KEY = 7_201_184_406;
const LOCK_NOT_AVAILABLE = "55P03";

/** Brings the database to this code's schema. Throws StartError with the fix where it can not. */
export async function migrate(
  url: string,
  onProgress: (text: string) => void = () => {},
  folder = FOLDER,
): Promise<void> {
  const client = await connectOwner(url);
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK_KEY]);
    await createRoles(client);
    await createTable(client);
    const known = (await Promise.all(schemas.map((schema) => readMigrations(schema, folder)))).flat();
    for (const migration of pending(known, await readApplied(client))) {
      onProgress(`migrating ${migration.schema}/${migration.name}`);
      await apply(client, migration);
    }
    await grantAll(client, known);
    await refuseWeakDurability(client);
  } finally {
    await client.end();
  }
}

async function createTable(client: pg.Client): Promise<void> {
  await client.query(
    `create schema if not exists parley;
     create table if not exists parley.migrations (
       schema text, number integer, name text not null, applied_at timestamptz not null default now(), primary key (schema, number));
     alter table parley.migrations
       -- See compatibility.ts.
       add column if not exists compatible_since integer,
       -- When the rights of the domains were last set after it.
       add column if not exists granted_at timestamptz`,
  );
}

async function readApplied(client: pg.Client): Promise<Applied[]> {
  const sql = `select schema, number, name, compatible_since as "compatibleSince" from parley.migrations`;
  return (await client.query<Applied>(sql)).rows;
}

async function readMigrations(schema: Schema, folder: URL): Promise<Migration[]> {
  const files = new URL(`${schema}/`, folder);
  const names = (await readdir(files)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(
    names.map(async (name) => readMigration(schema, name, await readFile(new URL(name, files), "utf8"))),
  );
}

/** Runs it. Where somebody holds what it needs, those who wait behind it are let through before it tries again. */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await applyOnce(client, migration);
    } catch (thrown) {
      await client.query("rollback");
      const isBusy = sqlState(thrown) === LOCK_NOT_AVAILABLE && attempts < limits.migration_attempts;
      if (!isBusy) throw failure(migration, thrown);
      await client.query("select pg_sleep($1)", [limits.migrationPause_ms / 1_000]);
    }
  }
}

async function applyOnce(client: pg.Client, { schema, number, name, sql, compatibleSince }: Migration): Promise<void> {
  await client.query("begin");
  await client.query(`set local lock_timeout = ${limits.migrationLock_ms}`);
  await client.query(`create schema if not exists ${schema}`);
  await client.query(sql);
  await client.query("insert into parley.migrations (schema, number, name, compatible_since) values ($1, $2, $3, $4)", [
    schema,
    number,
    name,
    compatibleSince,
  ]);
  await client.query("commit");
}

function failure({ schema, name }: Migration, thrown: unknown): StartError {
  const text = `The migration ${schema}/${name} failed and changed nothing: ${asError(thrown).message}`;
  return new StartError(text, { cause: thrown });
}

/** Sets the rights of every domain, unless that was done since the last migration: also where a start was cut short after it. */
async function grantAll(client: pg.Client, known: readonly Migration[]): Promise<void> {
  // What only a newer version knows is for that one to set.
  const own = [known.map(({ schema, number }) => `${schema}/${number}`)];
  const isOpen = "granted_at is null and schema || '/' || number = any($1)";
  const { rowCount } = await client.query(`select from parley.migrations where ${isOpen}`, own);
  if (rowCount === 0) return;
  for (const schema of schemas) await grant(client, schema);
  await client.query(`update parley.migrations set granted_at = now() where ${isOpen}`, own);
}

/** Makes the roles that are missing, and lets the URL's user act as each of them. */
async function createRoles(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ rolname: string; isOurs: boolean }>(
    `select rolname, pg_has_role(current_user, oid, 'member') as "isOurs" from pg_roles where rolname = any($1)`,
    [schemas.map(roleOf)],
  );
  const known = new Map(rows.map((row) => [row.rolname, row.isOurs]));
  const missing = schemas.map(roleOf).filter((role) => !known.get(role));
  const create = (role: string) => (known.has(role) ? [] : [`create role ${role} nologin`]);
  for (const role of missing) {
    try {
      await createOnce(client, create(role));
      await client.query(`grant ${role} to current_user`);
    } catch (thrown) {
      const all = missing.map((each) => [...create(each), `grant ${each} to <the user of DATABASE_URL>`].join("; "));
      throw new StartError(
        `The user of DATABASE_URL may not create database roles (${asError(thrown).message}). Have an administrator of the database run: ${all.join("; ")};`,
        { cause: thrown },
      );
    }
  }
}

async function createOnce(client: pg.Client, statements: readonly string[]): Promise<void> {
  try {
    for (const statement of statements) await client.query(statement);
  } catch (thrown) {
    if (!isDuplicateRole(thrown)) throw thrown;
  }
}

/** Another database of the same cluster may be migrated at the same moment, under another advisory lock space. */
function isDuplicateRole(thrown: unknown): boolean {
  const code = (thrown as { code?: string }).code;
  return code === "42710" || code === "23505";
}

/** Gives the domain's role its own tables, and nothing of the others'. */
async function grant(client: pg.Client, schema: Schema): Promise<void> {
  const role = roleOf(schema);
  await client.query(
    `grant usage, create on schema ${schema} to ${role};
     grant select, insert, update, delete on all tables in schema ${schema} to ${role};
     grant usage on all sequences in schema ${schema} to ${role};
     revoke execute on all functions in schema ${schema} from public`,
  );
  const { rows } = await client.query<{ signature: string }>(
    "select p.oid::regprocedure::text as signature from pg_proc p where p.pronamespace = $1::regnamespace",
    [schema],
  );
  // A security-definer function acts with its owner's rights: they must be the domain's, not the administrator's.
  for (const { signature } of rows) await client.query(`alter function ${signature} owner to ${role}`);
  await client.query(`revoke create on schema ${schema} from ${role}`);
  if (!mayAppendOne.includes(schema)) return;
  await client.query(
    `grant usage on schema log to ${role};
     grant usage on type log.kind to ${role};
     grant execute on function log.append_one to ${role}`,
  );
}

/** G1: an answer of 200 means that the change is on disk. */
async function refuseWeakDurability(client: pg.Client): Promise<void> {
  for (const setting of ["fsync", "full_page_writes"]) {
    const { rows } = await client.query<{ value: string }>("select current_setting($1) as value", [setting]);
    if (rows[0]?.value !== "on")
      throw new StartError(
        `The database runs with ${setting} = ${rows[0]?.value}, so a crash would lose messages that people were told are sent. Set ${setting} = on in postgresql.conf.`,
      );
  }
}
