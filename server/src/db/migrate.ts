/**
 * Forward-only migrations: `migrations/<schema>/NNNN_name.sql`, each run once, in order, in its own transaction, under an
 * advisory lock so that replicas which start together do not race. Replicas of the release before may be serving meanwhile:
 * a migration that does not get its locks at once lets them pass and tries again. Which code may run on which schema is
 * decided in compatibility.ts.
 */
import type pg from "pg";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Migration, pending } from "./compatibility.ts";
import { connectOwner, sqlState } from "./database.ts";
import { createRoles, grantAll, grantLook, grantUse } from "./rights.ts";
import { MIGRATIONS, readApplied, readKnown, refuseWeakDurability } from "./schema.ts";

/** Any constant does, so long as every version of Parley uses the same. */
const LOCK_KEY = 7_201_184_406;
const LOCK_NOT_AVAILABLE = "55P03";

export interface Migrating {
  onProgress?(text: string): void;
  /** Other migrations than those of this version, for tests of what the next version will do. */
  folder?: URL | undefined;
  /** The user as whom processes serve, where it is another one than that of `url`: gets what they need, and no more. */
  servingUser?: string | undefined;
  /** Leaves out what this says no to: a restore stops at the migrations that its backup had. */
  isWanted?(migration: Migration): boolean;
}

/** Brings the database to this code's schema; gives the migrations that it ran. Throws StartError with the fix where it can not. */
export async function migrate(url: string, options: Migrating = {}): Promise<Migration[]> {
  const { onProgress = () => {}, folder = MIGRATIONS, servingUser, isWanted = () => true } = options;
  const client = await connectOwner(url);
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK_KEY]);
    await createRoles(client);
    await createTable(client);
    const known = (await readKnown(folder)).filter(isWanted);
    const missing = pending(known, await readApplied(client));
    for (const migration of missing) {
      onProgress(`migrating ${migration.schema}/${migration.name}`);
      await apply(client, migration);
    }
    await grantAll(client, known);
    await grantLook(client);
    if (servingUser !== undefined) await grantUse(client, servingUser);
    await refuseWeakDurability(client);
    return missing;
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
       add column if not exists granted_at timestamptz;
     -- For processes that serve, which may not read the table: see fit.ts.
     create or replace function parley.applied(
       out schema text, out number integer, out name text, out "compatibleSince" integer) returns setof record
     language sql stable security definer set search_path = pg_catalog, pg_temp
     as $$ select m.schema, m.number, m.name, m.compatible_since from parley.migrations m $$;
     revoke execute on function parley.applied from public`,
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
  const text = `The migration ${schema}/${name} failed and changed nothing: ${asError(thrown).message}. Put that right and run "parley release db" again; the version before can go on serving.`;
  return new StartError(text, { cause: thrown });
}
