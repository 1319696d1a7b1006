/**
 * The way to PostgreSQL: one small pool for each domain, whose connections act under that domain's own least-privilege role.
 * Only this folder knows the driver.
 */
import pg from "pg";
import { StartError, asError, matrixError } from "../errors.ts";
import { roleOf, type Schema, schemas } from "./roles.ts";

// Positions and counts are 64-bit in the database and stay far below 2^53, where a JavaScript number is exact.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export type Row = Record<string, unknown>;

/** Runs SQL under one domain's role. Every statement is prepared once per connection and named by its text. */
export interface Db {
  /** All rows of one statement, which is its own transaction. */
  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  /** The first row, if there is one. */
  one<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R | undefined>;
  /** How many rows a change touched. */
  change(sql: string, params?: readonly unknown[]): Promise<number>;
  /** Several statements in one transaction. Never call the log's append in it: its lock must not wait for the network. */
  transaction<T>(run: (db: Omit<Db, "transaction">) => Promise<T>): Promise<T>;
}

export type Database = Record<Schema, Db> & {
  /** Ends every connection. */
  close(): Promise<void>;
  /** Connections of each domain in use and waited for, for the metrics. */
  load(): { schema: Schema; total: number; idle: number; waiting: number }[];
};

export interface DatabaseOptions {
  url: string;
  /** The most connections that one domain opens. */
  connections: number;
  onError(error: Error): void;
}

/** Opens the pools; a connection is made when a query first needs one. */
export function openDatabase(options: DatabaseOptions): Database {
  let closing = false;
  // A pool says that it has ended before its sockets have: what they still meet is the end that was asked for.
  const onError = (error: Error) => closing || options.onError(error);
  const pools = new Map(schemas.map((schema) => [schema, openPool(schema, { ...options, onError })]));
  const dbs = Object.fromEntries([...pools].map(([schema, pool]) => [schema, dbOn(pool)])) as Record<Schema, Db>;
  return {
    ...dbs,
    async close() {
      closing = true;
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
    load: () =>
      [...pools].map(([schema, pool]) => ({
        schema,
        total: pool.totalCount,
        idle: pool.idleCount,
        waiting: pool.waitingCount,
      })),
  };
}

function openPool(schema: Schema, options: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    application_name: `parley ${schema}`,
    // Commits wait for the disk whatever the database's default says: an acknowledged send must not be lost.
    options: `-c role=${roleOf(schema)} -c synchronous_commit=on -c jit=off -c plan_cache_mode=force_generic_plan`,
  });
  pool.on("error", options.onError);
  return pool;
}

/** The name under which a statement is prepared. Texts are constants of the code, so this map stays small. */
const statementNames = new Map<string, string>();
function nameOf(sql: string): string {
  let name = statementNames.get(sql);
  if (name === undefined) {
    name = `s${statementNames.size}`;
    statementNames.set(sql, name);
  }
  return name;
}

function runnerOn(client: pg.Pool | pg.PoolClient): Omit<Db, "transaction"> {
  const run = <R extends object>(sql: string, params: readonly unknown[]) =>
    client.query<R>({ name: nameOf(sql), text: sql, values: params as unknown[] }).catch(tellUnavailable);
  return {
    query: async <R extends object>(sql: string, params: readonly unknown[] = []) => (await run<R>(sql, params)).rows,
    one: async <R extends object>(sql: string, params: readonly unknown[] = []) => (await run<R>(sql, params)).rows[0],
    change: async (sql, params = []) => (await run(sql, params)).rowCount ?? 0,
  };
}

/** SQL states of a database that can not serve now: no connection, no resources (a full disk), shutting down, read-only. */
const AWAY = /^(08|53|57P|25006)/;
const AWAY_SOCKET = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "ETIMEDOUT"]);
/** What the driver says without a code: no connection of the pool became free, or one was cut. */
const AWAY_TEXT = /^(timeout exceeded when trying to connect|Connection terminated)/;

/** G15: trouble with the database is told as such, with a time to come back; any other error goes on as it is. */
function tellUnavailable(thrown: unknown): never {
  const { code = "", message } = thrown as { code?: string; message?: string };
  if (!AWAY.test(code) && !AWAY_SOCKET.has(code) && !AWAY_TEXT.test(message ?? "")) throw thrown;
  throw matrixError("IO_PARLEY_UNAVAILABLE", "The database can not do this now. Try again in a few seconds.", {
    retryAfter_ms: 2_000,
    cause: thrown,
  });
}

function dbOn(pool: pg.Pool): Db {
  return {
    ...runnerOn(pool),
    async transaction(run) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query("begin");
        const result = await run(runnerOn(client));
        await client.query("commit");
        return result;
      } catch (thrown) {
        // A connection that cannot even roll back is thrown away, not returned to the pool.
        await client.query("rollback").catch((error: unknown) => (broken = asError(error)));
        throw thrown;
      } finally {
        client.release(broken);
      }
    },
  };
}

/** PostgreSQL's code of an error, such as "23505", or undefined for anything else. */
export function sqlState(thrown: unknown): string | undefined {
  return thrown instanceof pg.DatabaseError ? thrown.code : undefined;
}

export const UNIQUE_VIOLATION = "23505";

/** A connection of its own for the migrations, under the rights of the URL's user. */
export async function connectOwner(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "parley migrate",
    connectionTimeoutMillis: 10_000,
  });
  try {
    await client.connect();
  } catch (thrown) {
    throw new StartError(
      `The database can not be reached: ${asError(thrown).message || "the connection was refused"}. Check DATABASE_URL and that PostgreSQL is running.`,
      { cause: thrown },
    );
  }
  return client;
}
