/**
 * The way to PostgreSQL: one small pool for each domain, whose connections act under that domain's own least-privilege role.
 * Only this folder knows the driver.
 */
import pg from "pg";
import { ask } from "./ask.ts";
import { StartError, asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Hosts, readHosts } from "./hosts.ts";
import { onlyReads } from "./only-reads.ts";
import {
  NoAnswer,
  isAway,
  isTooLong,
  neverRan,
  openOutage,
  type Outage,
  ReadOnlyServer,
  unavailable,
  within,
} from "./outage.ts";
import { realSeams, type Seams } from "../seams.ts";
import { scramVerifier } from "./passwords.ts";
import { roleOf, type Schema, schemas } from "./roles.ts";

// Positions and counts are 64-bit in the database and stay far below 2^53, where a JavaScript number is exact.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export type Row = Record<string, unknown>;

/**
 * Runs SQL under one domain's role. Every statement is prepared once per connection and named by its text.
 *
 * While the database is away (a restart, a fail-over) a statement waits for it and is then run, for
 * `limits.databasePatience_ms` at the most. It throws IO_PARLEY_UNAVAILABLE after that, and at once where a connection was lost
 * on the way, for then the statement may have run: see `mayHaveRun` in outage.ts. A statement that runs for longer than
 * `limits.databaseStatement_ms` is ended by the database and has changed nothing: it throws IO_PARLEY_UNAVAILABLE too.
 */
export interface Db {
  /** All rows of one statement, which is its own transaction. */
  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  /** The first row, if there is one. */
  one<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R | undefined>;
  /** How many rows a change touched. */
  change(sql: string, params?: readonly unknown[]): Promise<number>;
  /** Several statements in one transaction. Never call the log's append in it: its lock must not wait for the network. */
  transaction<T>(run: (db: Transaction) => Promise<T>): Promise<T>;
}

/** One transaction, from within. */
export interface Transaction extends Omit<Db, "transaction"> {
  /** Does this when the transaction is committed, for what others must find in the database; never where it is undone. */
  onceCommitted(action: () => void): void;
}

/** Reads only. */
export type Reader = Pick<Db, "query" | "one">;

export type Database = Record<Schema, Db> & {
  /** Ends every connection. */
  close(): Promise<void>;
  /** Connections of each domain in use and waited for, for the metrics. */
  load(): { schema: Schema; total: number; idle: number; waiting: number }[];
};

export interface DatabaseOptions {
  /** One server, or several of which one takes changes. See hosts.ts. */
  url: string;
  /** The most connections that one domain opens. */
  connections: number;
  onError(error: Error): void;
  /** How long a statement waits for a database that is away. */
  patience_ms?: number;
  /** When the database ends a statement: `limits.databaseStatement_ms`, where nothing is given. */
  statement_ms?: number;
  /** The real ones, where none are given. */
  seams?: Seams;
}

/** Opens the pools; a connection is made when a query first needs one. */
export function openDatabase(options: DatabaseOptions): Database {
  let closing = false;
  // A pool says that it has ended before its sockets have: what they still meet is the end that was asked for.
  const onError = (error: Error) => closing || options.onError(error);
  const hosts = readHosts(options.url);
  const seams = options.seams ?? realSeams;
  const outage = openOutage(seams, options.patience_ms);
  const pools = new Map(schemas.map((schema) => [schema, openPool(schema, hosts, { ...options, onError })]));
  const dbs = Object.fromEntries(
    [...pools].map(([schema, pool]) => [schema, dbOn({ pool, hosts, outage, seams })]),
  ) as Record<Schema, Db>;
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

/**
 * Projections of the log. A plan is made once, maybe while the projection is still empty: it must never become a scan of tables that
 * grew. And their commits wait for no disk: what a crash takes of them is made again from the position that is left with the rest.
 */
const PROJECTION = " -c enable_seqscan=off -c synchronous_commit=off";
const projections: ReadonlySet<Schema> = new Set<Schema>(["graph", "search"]);

/** A pool of connections to one server after another, for one domain. */
export function openPool(
  schema: Schema,
  hosts: Hosts,
  options: Pick<DatabaseOptions, "connections" | "onError" | "seams" | "statement_ms">,
): pg.Pool {
  const seams = options.seams ?? realSeams;
  const ends = `-c statement_timeout=${options.statement_ms ?? limits.databaseStatement_ms} -c idle_in_transaction_session_timeout=${limits.databaseIdle_ms}`;
  const pool = new pg.Pool({
    Client: clientOf(hosts) as new () => pg.Client,
    max: options.connections,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: limits.databaseQueue_ms,
    keepAlive: true,
    application_name: `parley ${schema}`,
    // Commits wait for the disk whatever the database's default says: an acknowledged send must not be lost.
    options: `-c role=${roleOf(schema)} -c synchronous_commit=on -c jit=off -c plan_cache_mode=force_generic_plan ${ends}${projections.has(schema) ? PROJECTION : ""}`,
    // The pool waits for it, whatever its types say.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: (client) => refuseReadOnly(client, hosts, seams),
  });
  pool.on("error", options.onError);
  return pool;
}

/** Where each connection of the driver went, so that a server that failed can be left. */
const urlOfClient = new WeakMap<object, string>();

/** Clients that connect to the server whose turn it is, and pass the turn on when their connection breaks. */
function clientOf(hosts: Hosts): new (config: pg.ClientConfig) => pg.Client {
  return class extends pg.Client {
    constructor(config: pg.ClientConfig) {
      const connectionString = hosts.current();
      super({ ...config, connectionString, connectionTimeoutMillis: limits.databaseConnect_ms });
      urlOfClient.set(this, connectionString);
      this.once("error", () => hosts.skip(connectionString));
      // One that is in use between two statements has no other listener, and its end is told twice: by the server, and by the
      // socket. Whoever uses it hears of it with the next statement; unheard it would end the process.
      this.on("error", () => {});
    }
  };
}

/** Throws ReadOnlyServer where changes are needed and this server takes none: the standby, or a primary that was relieved. */
async function refuseReadOnly(client: pg.ClientBase, hosts: Hosts, seams: Seams): Promise<void> {
  if (!hosts.needsWritable) return;
  const asked = client.query<{ readOnly: boolean }>(
    `select pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as "readOnly"`,
  );
  const { rows } = await within(seams, limits.databaseConnect_ms, asked);
  if (rows[0]?.readOnly) throw new ReadOnlyServer();
}

/** The name under which a statement is prepared. Texts are constants of the code, so this map stays small. */
const statementNames = new Map<string, string>();
export function nameOf(sql: string): string {
  let name = statementNames.get(sql);
  if (name === undefined) {
    name = `s${statementNames.size}`;
    statementNames.set(sql, name);
  }
  return name;
}

interface Way {
  pool: pg.Pool;
  hosts: Hosts;
  outage: Outage;
  seams: Seams;
}

type Run = <R extends object>(sql: string, params: readonly unknown[]) => Promise<pg.QueryResult<R>>;

function runnerOn(run: Run): Omit<Db, "transaction"> {
  return {
    query: async <R extends object>(sql: string, params: readonly unknown[] = []) => (await run<R>(sql, params)).rows,
    one: async <R extends object>(sql: string, params: readonly unknown[] = []) => (await run<R>(sql, params)).rows[0],
    change: async (sql, params = []) => (await run(sql, params)).rowCount ?? 0,
  };
}

/** A free connection. Throws IO_PARLEY_UNAVAILABLE where there is none: nothing has run then. */
async function take({ pool, hosts }: Way): Promise<pg.PoolClient> {
  const at = hosts.current();
  try {
    return await pool.connect();
  } catch (thrown) {
    if (!isAway(thrown)) throw thrown;
    // All connections being in use says nothing against the server.
    if (!asError(thrown).message.startsWith("timeout exceeded")) hosts.skip(at);
    throw unavailable(thrown, { mayHaveRun: false });
  }
}

interface Failed {
  client: pg.PoolClient;
  thrown: unknown;
  /** The statement that failed; undefined for what cannot be asked again by itself. */
  sql?: string;
}

/** Gives the connection back, or throws it away where its server can not serve. Throws what is to be told of the error. */
function fail({ hosts }: Way, { client, thrown, sql }: Failed): never {
  if (!isAway(thrown)) {
    client.release();
    throw isTooLong(thrown) ? unavailable(thrown, { mayHaveRun: false }) : thrown;
  }
  client.release(asError(thrown));
  hosts.skip(urlOfClient.get(client) ?? "");
  // A look whose connection broke is taken again. One that got no answer in time may run on, and a second would only add to it.
  const isRepeatable = sql !== undefined && onlyReads(sql) && !(thrown instanceof NoAnswer);
  throw unavailable(thrown, { mayHaveRun: !isRepeatable && !neverRan(thrown) });
}

function runOn({ seams }: Way, client: pg.PoolClient): Run {
  return (sql, params) => within(seams, limits.databaseAnswer_ms, ask(client, prepared(sql, params)));
}

export function prepared(sql: string, params: readonly unknown[]): pg.QueryConfig {
  return { name: nameOf(sql), text: sql, values: params as unknown[] };
}

/** Runs one statement, which is its own transaction, on any connection. */
async function runOnce<R extends object>(way: Way, sql: string, params: readonly unknown[]) {
  const client = await take(way);
  try {
    const result = await runOn(way, client)<R>(sql, params);
    client.release();
    return result;
  } catch (thrown) {
    return fail(way, { client, thrown, sql });
  }
}

/** The database of one domain, over a pool. */
export function dbOn(way: Way): Db {
  return {
    ...runnerOn((sql, params) => way.outage.patiently(() => runOnce(way, sql, params))),
    async transaction(run) {
      const client = await way.outage.patiently(() => begin(way));
      const afterwards: (() => void)[] = [];
      const onceCommitted = (action: () => void) => void afterwards.push(action);
      let result;
      try {
        result = await run({ ...runnerOn(runOn(way, client)), onceCommitted });
        await within(way.seams, limits.databaseAnswer_ms, client.query("commit"));
      } catch (thrown) {
        if (isAway(thrown) || (await rollsBack(way, client))) return fail(way, { client, thrown });
        client.release(asError(thrown));
        throw thrown;
      }
      client.release();
      for (const action of afterwards) action();
      return result;
    },
  };
}

/** A connection that cannot even roll back is thrown away, not returned to the pool. */
function rollsBack(way: Way, client: pg.PoolClient): Promise<boolean> {
  return within(way.seams, limits.databaseAnswer_ms, client.query("rollback")).then(
    () => true,
    () => false,
  );
}

async function begin(way: Way): Promise<pg.PoolClient> {
  const client = await take(way);
  try {
    await within(way.seams, limits.databaseAnswer_ms, client.query("begin"));
    return client;
  } catch (thrown) {
    client.release(asError(thrown));
    if (!isAway(thrown)) throw thrown;
    throw unavailable(thrown, { mayHaveRun: false });
  }
}

/**
 * Reads the log on one server, a replica, and waits for nothing: whoever reads there has another server to ask. Throws whatever
 * goes wrong.
 */
export function openReader(
  url: string,
  options: Pick<DatabaseOptions, "connections" | "onError"> & { seams: Seams },
): Reader & { close(): Promise<void> } {
  const pool = openPool("log", readHosts(url), { ...options, statement_ms: limits.replicaAnswer_ms });
  const run: Run = async <R extends object>(sql: string, params: readonly unknown[]) => {
    const client = await pool.connect();
    try {
      const result = await within(options.seams, limits.replicaAnswer_ms, ask<R>(client, prepared(sql, params)));
      client.release();
      return result;
    } catch (thrown) {
      client.release(asError(thrown));
      throw thrown;
    }
  };
  const { query, one } = runnerOn(run);
  return { query, one, close: () => pool.end() };
}

/** PostgreSQL's code of an error, such as "23505", or undefined for anything else. */
export function sqlState(thrown: unknown): string | undefined {
  return thrown instanceof pg.DatabaseError ? thrown.code : undefined;
}

export const UNIQUE_VIOLATION = "23505";

/**
 * A connection of its own, under the rights of the URL's user, to the server that takes changes. Throws StartError where there
 * is none. The caller ends it, and hears of a connection that broke with the statement that is on it, or the next one.
 */
export async function connectOwner(url: string, applicationName = "parley migrate"): Promise<pg.Client> {
  const hosts = readHosts(url);
  let failure: unknown;
  for (const connectionString of hosts.urls) {
    const client = new pg.Client({
      connectionString,
      application_name: applicationName,
      connectionTimeoutMillis: limits.databaseQueue_ms,
    });
    client.on("error", () => {});
    try {
      await client.connect();
      await refuseReadOnly(client, hosts, realSeams);
      return client;
    } catch (thrown) {
      failure = thrown;
      await client.end().catch(() => {});
    }
  }
  throw new StartError(
    `The database can not be reached: ${asError(failure).message || "the connection was refused"}. Check DATABASE_URL (and DATABASE_OWNER_URL, where it is set) and that PostgreSQL is running.`,
    { cause: failure },
  );
}

/** A connection of its own, for the few who need one. */
export type Connection = pg.Client;

/** Gives the user of the connection another password. Connections that are open stay so. */
export async function alterOwnPassword(client: pg.Client, password: string, seams: Seams): Promise<void> {
  const verifier = await scramVerifier(password, seams);
  const { rows } = await client.query<{ sql: string }>(
    "select format('alter role %I password %L', session_user, $1::text) as sql",
    [verifier],
  );
  await client.query(rows[0]?.sql as string);
}
