/**
 * The database roles of the domains and what each may do. Whoever migrates owns the schemas and makes the roles; the processes
 * may do with less: they act under the eight roles, and read which migrations there are.
 */
import type pg from "pg";
import { asError, StartError } from "../errors.ts";
import type { Migration } from "./compatibility.ts";
import { appendOnly, mayAppendOne, mayRemoveEvents, roleOf, schemas, type Schema } from "./roles.ts";

/** Sets the rights of every domain, unless that was done since the last migration: also where a start was cut short after it. */
export async function grantAll(client: pg.Client, known: readonly Migration[]): Promise<void> {
  // What only a newer version knows is for that one to set.
  const own = [known.map(({ schema, number }) => `${schema}/${number}`)];
  const isOpen = "granted_at is null and schema || '/' || number = any($1)";
  const { rowCount } = await client.query(`select from parley.migrations where ${isOpen}`, own);
  if (rowCount === 0) return;
  const there = new Set(known.map(({ schema }) => schema));
  for (const schema of there) await grant(client, schema);
  await client.query(`update parley.migrations set granted_at = now() where ${isOpen}`, own);
}

/** Makes the roles that are missing, and lets the user of the connection act as each of them. */
export async function createRoles(client: pg.Client): Promise<void> {
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
      const user = await ownName(client);
      // With the admin option, since it lets another user serve, where there is one.
      const all = missing.map((each) => [...create(each), `grant ${each} to ${user} with admin option`].join("; "));
      throw new StartError(
        `The database user ${user} may not create database roles (${asError(thrown).message}). Have an administrator of the database run: ${all.join("; ")};`,
        { cause: thrown },
      );
    }
  }
}

/** As it stands in a statement. */
async function ownName(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>("select quote_ident(current_user) as name");
  return rows[0]?.name ?? "";
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
  for (const table of appendOnly[schema] ?? []) await keepAppendOnly(client, table, role);
  const { rows } = await client.query<{ signature: string }>(
    "select p.oid::regprocedure::text as signature from pg_proc p where p.pronamespace = $1::regnamespace",
    [schema],
  );
  // A security-definer function acts with its owner's rights: they must be the domain's, not the administrator's.
  for (const { signature } of rows) await client.query(`alter function ${signature} owner to ${role}`);
  await client.query(`revoke create on schema ${schema} from ${role}`);
  if (mayRemoveEvents.includes(schema)) await grantRemoval(client, role);
  if (!mayAppendOne.includes(schema)) return;
  await client.query(
    `grant usage on schema log to ${role};
     grant usage on type log.kind to ${role};
     grant execute on function log.append_one to ${role}`,
  );
}

/** Every process asks as the log which migrations there are. After each migration, for a version that adds none may be the first to ask. */
export async function grantLook(client: pg.Client): Promise<void> {
  const role = roleOf("log");
  await client.query(`grant usage on schema parley to ${role}; grant execute on function parley.applied to ${role}`);
}

/** A restore stops at the migrations of its backup, which may know of no removals. */
async function grantRemoval(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ signature: string }>(
    `select p.oid::regprocedure::text as signature from pg_proc p
     where p.pronamespace = 'log'::regnamespace and p.proname in ('remove_events', 'purge_state')`,
  );
  await client.query(`grant usage on schema log to ${role}`);
  for (const { signature } of rows) await client.query(`grant execute on function ${signature} to ${role}`);
}

async function keepAppendOnly(client: pg.Client, table: string, role: string): Promise<void> {
  const { rows } = await client.query<{ isThere: boolean }>(`select to_regclass($1) is not null as "isThere"`, [table]);
  if (rows[0]?.isThere) await client.query(`revoke update, delete, truncate on ${table} from ${role}`);
}

/**
 * Lets a user serve who owns nothing: may act as each domain, and see which migrations there are. Throws StartError with the SQL
 * for an administrator where the user of the connection may not hand that on.
 */
export async function grantUse(client: pg.Client, user: string): Promise<void> {
  const { rows } = await client.query<{ own: string; name: string; serves: string[] }>(
    `select format('%I', current_user::text) as own, format('%I', rolname) as name,
       array(select r.rolname::text from pg_roles r where r.rolname = any($2) and pg_has_role(u.oid, r.oid, 'member')) as serves
     from pg_roles u where rolname = $1`,
    [user, schemas.map(roleOf)],
  );
  const [found] = rows;
  if (!found)
    throw new StartError(
      `The database knows no user "${user}", which DATABASE_URL names. Have an administrator of the database create it: create role ${user} login password '…';`,
    );
  if (found.own === found.name) return;
  const missing = schemas.map(roleOf).filter((role) => !found.serves.includes(role));
  const grants = missing.map((role) => `grant ${role} to ${found.name}`);
  try {
    for (const each of grants) await client.query(each);
    await client.query(
      `grant usage on schema parley to ${found.name}; grant select on parley.migrations to ${found.name}`,
    );
  } catch (thrown) {
    throw new StartError(
      `The user of DATABASE_OWNER_URL may not hand on the roles of the domains (${asError(thrown).message}). Have an administrator of the database run: ${grants.join("; ")};`,
      { cause: thrown },
    );
  }
}
