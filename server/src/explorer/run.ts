/**
 * Runs one Cypher query and gives its rows as they come. Whatever reads is rolled back at its end: AGE changes and deletes elements also in
 * a transaction that is read-only (SET and DELETE go past PostgreSQL's check), so `begin read only` alone keeps nothing from being
 * changed. What writes is committed when the last row was read, and only then told as done.
 *
 * It ends early when its time is over, when whoever asked goes away, and at its most rows; the first two reach the database
 * (`pg_cancel_backend`), which also has the time as its own limit.
 */
import {
  connectForeign,
  ForeignError,
  type ForeignConnection,
  type ForeignRow,
  type OwnServer,
  type ForeignServer,
} from "../db/foreign.ts";
import { asError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams, Timer } from "../seams.ts";
import { type Json, parseAgtype } from "./agtype.ts";
import { type Shape, shapeOf } from "./cypher/shape.ts";
import { type Statement, statementFor } from "./cypher/statement.ts";
import { syntaxError } from "./cypher/tokens.ts";
import { noAge, queryFailure, unreachableBecause } from "./failures.ts";
import type { Taken } from "./pools.ts";

export interface Query {
  graph: string;
  cypher: string;
  /** JSON of an object. */
  parameters?: string | undefined;
  timeout_ms: number;
  rows: number;
}

export type Part =
  | { columns: readonly string[] }
  | { rows: readonly (readonly Json[])[] }
  | { done: { rows: number; has_more: boolean; took_ms: number; is_written: boolean } };

export interface Way {
  take(): Promise<Taken>;
  /** For a second connection, which stops what runs on the first. */
  describe(): Promise<ForeignServer | OwnServer>;
  seams: Seams;
}

export interface Run extends Query {
  mayWrite: boolean;
  signal: AbortSignal;
}

/** A connection. Throws M_BAD_STATE with a sentence where there can be none. */
export async function takeFrom(way: Way): ReturnType<Way["take"]> {
  try {
    return await way.take();
  } catch (thrown) {
    throw thrown instanceof ForeignError ? unreachableBecause(thrown) : thrown;
  }
}

/** Throws M_INVALID_PARAM, M_FORBIDDEN and what failures.ts knows; before the first part where nothing was run yet. */
export async function* run(way: Way, asked: Run): AsyncGenerator<Part, void, undefined> {
  const shape = checked(asked);
  const statement = statementOf(asked, shape, way.seams);
  const begun_ms = way.seams.monotonic_ms();
  const taken = await takeFrom(way);
  const { connection } = taken;
  const watch = watchOver(way, connection, asked);
  let reading: ReturnType<typeof batches> | undefined;
  try {
    await begin(connection, asked);
    reading = batches(connection, statement, asked);
    const read = { rows: 0, hasMore: false };
    // What is wrong with a query is known when its first rows are: before anything is told.
    for (let next = await reading.next(), isFirst = true; ; next = await reading.next(), isFirst = false) {
      if (isFirst) yield { columns: shape.columns };
      if (next.done) break;
      const wanted = next.value.slice(0, Math.max(0, asked.rows - read.rows));
      read.hasMore ||= wanted.length < next.value.length;
      read.rows += wanted.length;
      if (wanted.length > 0 && shape.columns.length > 0) yield { rows: wanted.map((row) => row.map(valueOf)) };
      // What writes has written when its last row was read, and not before.
      if (read.hasMore && !asked.mayWrite) break;
    }
    await reading.return();
    if (asked.signal.aborted) throw asked.signal.reason;
    await connection.query(asked.mayWrite ? "commit" : "rollback");
    const took_ms = Math.round(way.seams.monotonic_ms() - begun_ms);
    yield { done: { rows: read.rows, has_more: read.hasMore, took_ms, is_written: asked.mayWrite } };
  } catch (thrown) {
    throw queryFailure(thrown, {
      cypher: asked.cypher,
      statement,
      timeout_ms: asked.timeout_ms,
      isOverdue: watch.isOverdue(),
    });
  } finally {
    // Whoever asked may have stopped reading in the middle: nothing else runs on a connection with an open cursor.
    await reading?.return();
    await watch.end();
    await leave(connection);
    taken.release();
  }
}

/** The plan that the database has for a query, without running it, as PostgreSQL tells it. */
export async function plan(way: Way, asked: Run): Promise<unknown> {
  const shape = shapeOf(asked.cypher);
  const statement = statementOf(asked, shape, way.seams);
  const taken = await takeFrom(way);
  const watch = watchOver(way, taken.connection, asked);
  try {
    await begin(taken.connection, asked);
    const [row] = await taken.connection.query(`explain (format json) ${statement.sql}`, statement.values);
    return JSON.parse(row?.[0] ?? "null");
  } catch (thrown) {
    const moved = { offset: statement.offset + "explain (format json) ".length };
    throw queryFailure(thrown, {
      cypher: asked.cypher,
      statement: moved,
      timeout_ms: asked.timeout_ms,
      isOverdue: watch.isOverdue(),
    });
  } finally {
    await watch.end();
    await leave(taken.connection);
    taken.release();
  }
}

function checked(asked: Run): Shape {
  const shape = shapeOf(asked.cypher);
  if (shape.writes.length > 0 && !asked.mayWrite)
    throw matrixError("M_FORBIDDEN", `This changes the graph (${shape.writes.join(", ")}), and is run read-only.`, {
      fields: { reason: "writes" },
    });
  return shape;
}

function statementOf(asked: Query, shape: Shape, seams: Seams): Statement {
  const { graph, cypher, parameters } = asked;
  const columns = shape.columns.length;
  if (shape.parameters.length === 0) return statementFor({ graph, cypher, columns, seams });
  const given = parameters === undefined ? {} : (JSON.parse(parameters) as object);
  const missing = shape.parameters.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) throw syntaxError(`The parameter ${missing} has no value.`, cypher.indexOf(`$${missing}`));
  return statementFor({ graph, cypher, columns, parameters: parameters ?? "{}", seams });
}

/** Connections in which AGE is loaded: its library takes over `cypher()` when the first of its functions is called. */
const loaded = new WeakSet<ForeignConnection>();

/** Throws M_BAD_STATE where there is no AGE. */
export async function loadAge(connection: ForeignConnection): Promise<void> {
  if (loaded.has(connection)) return;
  try {
    await connection.query("select '1'::ag_catalog.agtype");
  } catch (thrown) {
    // No such type, no such schema, or no right to it.
    if (thrown instanceof ForeignError && ["42704", "3F000"].includes(thrown.code)) throw noAge();
    throw thrown;
  }
  loaded.add(connection);
}

async function begin(connection: ForeignConnection, { mayWrite, timeout_ms }: Run): Promise<void> {
  connection.limitAnswer(limits.explorerAnswer_bytes);
  await loadAge(connection);
  await connection.query(mayWrite ? "begin" : "begin read only");
  await connection.query(
    `select set_config(name, value, true) from (values ('search_path', 'ag_catalog, pg_catalog'), ('statement_timeout', $1),
       ('lock_timeout', $1), ('idle_in_transaction_session_timeout', $2)) as setting(name, value)`,
    [`${timeout_ms}`, `${limits.explorerTimeoutMost_ms}`],
  );
}

async function* batches(connection: ForeignConnection, { sql, values }: Statement, { mayWrite, rows }: Run) {
  // One more than is wanted tells whether there are more.
  const batch_rows = Math.min(limits.explorerFetch_rows, mayWrite ? limits.explorerFetch_rows : rows + 1);
  yield* connection.stream(sql, values, batch_rows);
}

function valueOf(text: ForeignRow[number]): Json {
  try {
    return text === null ? null : parseAgtype(text);
  } catch (thrown) {
    // It is the other server's, or the query's: what was asked for can not be shown, and nothing is wrong here.
    throw matrixError("M_BAD_STATE", `The answer can not be shown: ${asError(thrown).message}.`);
  }
}

/** Ends the transaction, whatever became of it; a connection that can not is cut. */
async function leave(connection: ForeignConnection): Promise<void> {
  connection.limitAnswer(Infinity);
  if (connection.isBroken()) return;
  await connection.query("rollback").catch(() => connection.cut());
}

interface Watch {
  isOverdue(): boolean;
  /** Waits for what it began. */
  end(): Promise<void>;
}

function watchOver(way: Way, connection: ForeignConnection, { signal, timeout_ms }: Run): Watch {
  let isOverdue = false;
  let stopping: Promise<void> | undefined;
  const stop = () => void (stopping ??= cancel(way, connection));
  const timer: Timer = way.seams.after(timeout_ms, () => {
    isOverdue = true;
    stop();
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return {
    isOverdue: () => isOverdue,
    async end() {
      timer.cancel();
      signal.removeEventListener("abort", stop);
      await stopping;
    },
  };
}

/** Stops what the connection runs, in the database; where that can not be said there in time, both connections are cut. */
async function cancel({ describe, seams }: Way, connection: ForeignConnection): Promise<void> {
  let second: ForeignConnection | undefined;
  const patience = seams.after(limits.explorerCancel_ms, () => {
    connection.cut();
    second?.cut();
  });
  try {
    second = await connectForeign(await describe(), seams);
    second.limitAnswer(limits.explorerAnswer_bytes);
    if (connection.isBroken()) second.cut();
    await second.query("select pg_cancel_backend($1)", [connection.pid]);
    await second.end();
  } catch {
    connection.cut();
  } finally {
    patience.cancel();
  }
}
