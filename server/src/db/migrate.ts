/**
 * Forward-only migrations: `migrations/<schema>/NNNN_name.sql`, each run once, in order, in its own transaction, under an
 * advisory lock so that replicas which start together do not race. A database that knows a migration which this code does
 * not is newer than the code, and stops the start.
 */
import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { asError, StartError } from "../errors.ts";
import { connectOwner } from "./database.ts";
import { mayAppendOne, roleOf, schemas, type Schema } from "./roles.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
/** Any constant does, so long as every version of Parley uses the same. */
const LOCK_KEY = 7_201_184_406;

interface Migration {
  schema: Schema;
  number: number;
  name: string;
  sql: string;
}

/** Brings the database to this code's schema. Throws StartError with the fix where it can not. */
export async function migrate(url: string, onProgress: (text: string) => void = () => {}): Promise<void> {
  const client = await connectOwner(url);
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK_KEY]);
    await createRoles(client);
    await client.query(
      `create schema if not exists parley;
       create table if not exists parley.migrations (
         schema text, number integer, name text not null, applied_at timestamptz not null default now(), primary key (schema, number))`,
    );
    const pending = await pendingMigrations(client);
    for (const migration of pending) {
      onProgress(`migrating ${migration.schema}/${migration.name}`);
      await apply(client, migration);
    }
    if (pending.length > 0) for (const schema of schemas) await grant(client, schema);
    await refuseWeakDurability(client);
  } finally {
    await client.end();
  }
}

async function pendingMigrations(client: pg.Client): Promise<Migration[]> {
  const known = (await Promise.all(schemas.map(readMigrations))).flat();
  const { rows } = await client.query<{ schema: string; number: number; name: string }>(
    "select schema, number, name from parley.migrations",
  );
  const unknown = rows.find((row) => !known.some((m) => m.schema === row.schema && m.number === row.number));
  if (unknown)
    throw new StartError(
      `The database is of a newer Parley: it has the migration ${unknown.schema}/${unknown.name}, which this version does not know. Start the newer version, or restore a backup made before it.`,
    );
  const applied = new Set(rows.map((row) => `${row.schema}/${row.number}`));
  return known.filter((m) => !applied.has(`${m.schema}/${m.number}`));
}

async function readMigrations(schema: Schema): Promise<Migration[]> {
  const folder = new URL(`${schema}/`, FOLDER);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(
    names.map(async (name) => ({
      schema,
      number: Number.parseInt(name, 10),
      name: name.replace(/\.sql$/, ""),
      sql: await readFile(new URL(name, folder), "utf8"),
    })),
  );
}

async function apply(client: pg.Client, { schema, number, name, sql }: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query(`create schema if not exists ${schema}`);
    await client.query(sql);
    await client.query("insert into parley.migrations (schema, number, name) values ($1, $2, $3)", [
      schema,
      number,
      name,
    ]);
    await client.query("commit");
  } catch (thrown) {
    await client.query("rollback");
    throw new StartError(`The migration ${schema}/${name} failed and changed nothing: ${asError(thrown).message}`, {
      cause: thrown,
    });
  }
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
