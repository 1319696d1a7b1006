/**
 * The log's tables in memory, under a virtual clock: what log.append() promises, a server that crashes and fails over, and
 * connections that break before, during and after a commit. It knows the statements of the log by their texts and refuses
 * every other. That the real function keeps the same promises is what log.test.ts shows on PostgreSQL.
 */
import type { Reader } from "../../../server/src/db/database.ts";
import { openOutage, unavailable } from "../../../server/src/db/outage.ts";
import { type LogEntry, type NewEntry, placed } from "../../../server/src/log/entry.ts";
import type { Simulation } from "../simulation.ts";

/** Bugs that can be planted, one for each promise. */
export interface StorePlants {
  /** G1: a fail-over loses what the standby did not have yet. */
  asynchronous?: boolean;
  /** G2: retries are not recognised. */
  forgetsTransactions?: boolean;
  /** G3: numbers are taken from a sequence before the commit. */
  sequence?: boolean;
  /** G3: each process takes its numbers from a block of its own. */
  blocks?: boolean;
}

export interface SimulatedStore {
  /** The database as one process sees it. */
  connect(way: Way): Reader;
  /** Everything that is running fails, and nothing is answered until `start`. */
  crash(): void;
  start(): void;
  /** A crash after which the standby goes on at once. */
  failOver(): void;
  entries(): readonly LogEntry[];
}

/** What can happen to one process's connections. */
export interface Way {
  name: number;
  /** Grows each time that its connections are cut. */
  cuts(): number;
  /** Nothing is heard of a dead process any more. */
  isDead(): boolean;
  /** How long it takes to get there, or back. */
  latency_ms(): number;
}

interface Head {
  i: number;
  session?: number;
  txn?: string;
  answer?: string;
}
type Numbered = NewEntry & { i: number; n: number };

interface Tables {
  entries: LogEntry[];
  eventIds: Set<string>;
  answers: Map<string, string>;
  head: number;
}

const EPOCH = 1;
const UNIQUE = () => Object.assign(new Error("duplicate key value violates unique constraint"), { code: "23505" });
/** How much of the newest an asynchronous standby may lack. */
const LAG_ENTRIES = 3;
const BLOCK_POSITIONS = 1_000;

/** An empty store whose server is up. */
export function createStore(world: Simulation, plants: StorePlants): SimulatedStore {
  const tables: Tables = { entries: [], eventIds: new Set(), answers: new Map(), head: 0 };
  const server = { up: true, incarnation: 1, queue: Promise.resolve() };
  const crash = () => {
    server.up = false;
    server.incarnation += 1;
    server.queue = Promise.resolve();
  };
  const parts = { world, plants, tables, server };
  return {
    connect(way) {
      const outage = openOutage(world.seams);
      const run: Run = (sql, params) =>
        outage.patiently(() => ask(parts, way, () => execute(parts, way, { sql, params })));
      return {
        query: async <R extends object>(sql: string, params: readonly unknown[] = []) =>
          (await run(sql, params)) as R[],
        one: async <R extends object>(sql: string, params: readonly unknown[] = []) =>
          (await run(sql, params))[0] as R | undefined,
      };
    },
    crash,
    start: () => void (server.up = true),
    failOver() {
      crash();
      if (plants.asynchronous) forget(tables, world.random.below(LAG_ENTRIES + 1));
      server.up = true;
    },
    entries: () => tables.entries.toSorted((a, b) => a.position - b.position),
  };
}

type Run = (sql: string, params: readonly unknown[]) => Promise<object[]>;

interface Parts {
  world: Simulation;
  plants: StorePlants;
  tables: Tables;
  server: { up: boolean; incarnation: number; queue: Promise<void> };
}

/** One statement over one connection: it may break on the way there, and on the way back. */
async function ask({ world, server }: Parts, way: Way, act: () => Promise<object[]>): Promise<object[]> {
  const broke = new Error("the connection was cut");
  if (way.isDead()) return new Promise(() => {});
  if (!server.up) {
    await world.sleep(1);
    throw unavailable(broke, { mayHaveRun: false });
  }
  const [cuts, incarnation] = [way.cuts(), server.incarnation];
  await world.sleep(way.latency_ms());
  let result: object[] | undefined;
  let failure: unknown;
  // What is on its way arrives even if the one who sent it is gone.
  if (server.incarnation === incarnation)
    try {
      result = await act();
    } catch (thrown) {
      failure = thrown;
    }
  await world.sleep(way.latency_ms());
  if (way.isDead()) return new Promise(() => {});
  if (way.cuts() !== cuts || server.incarnation !== incarnation) throw unavailable(broke, { mayHaveRun: true });
  if (result) return result;
  throw failure;
}

interface Statement {
  sql: string;
  params: readonly unknown[];
}

async function execute(parts: Parts, way: Way, { sql, params }: Statement): Promise<object[]> {
  const { entries, head, answers } = parts.tables;
  if (sql.startsWith("select log.append(")) return [{ result: await append(parts, way, params), epoch: EPOCH }];
  if (sql.includes("from log.head h left join lateral")) {
    const [after = 0, limit = 0] = params as number[];
    const above = entries.filter((entry) => entry.position > after).toSorted((a, b) => a.position - b.position);
    const found = above
      .slice(0, limit)
      .map((entry) => ({ head, epoch: EPOCH, leftBody: null, leftUnsigned: null, ...entry }));
    return found.length > 0 ? found : [{ head, epoch: EPOCH, position: null }];
  }
  if (sql.includes("from log.forks")) return [];
  if (sql.includes("from log.head")) return [{ position: head, epoch: EPOCH }];
  if (sql.includes("join log.transactions t")) {
    const [sessions, keys] = params as [number[], string[]];
    return keys.flatMap((key, i) => {
      const answer = answers.get(`${sessions[i]} ${key}`);
      return answer === undefined ? [] : [{ session: sessions[i], key, answer }];
    });
  }
  if (sql.includes("e.event_id = any($1)"))
    return entries.filter((entry) => (params[0] as string[]).includes(entry.eventId as string));
  throw new Error(`the simulated database does not know: ${sql}`);
}

/** log.append(): alone behind the lock of the head's row, all or nothing. */
async function append(parts: Parts, way: Way, params: readonly unknown[]): Promise<object> {
  const { world, plants, tables, server } = parts;
  const heads = JSON.parse(params[0] as string) as Head[];
  const entries = JSON.parse(params[2] as string) as Numbered[];
  const { incarnation } = server;
  const begun = plants.sequence ? (tables.head += entries.length) - entries.length : undefined;
  const turn = server.queue;
  const { promise: over, resolve: leave } = Promise.withResolvers<void>();
  if (!plants.sequence) server.queue = turn.then(() => over);
  try {
    if (!plants.sequence) await turn;
    await world.sleep(world.random.below(plants.sequence ? 20 : 3));
    if (server.incarnation !== incarnation) throw new Error("the server ended in the middle of a transaction");
    return commit(parts, { heads, entries, from: begun ?? nextOf(parts, way) });
  } finally {
    leave();
  }
}

function nextOf({ plants, tables }: Parts, way: Way): number {
  if (!plants.blocks) return tables.head;
  const own = tables.entries.filter((entry) => Math.floor(entry.position / BLOCK_POSITIONS) === way.name);
  return own.at(-1)?.position ?? way.name * BLOCK_POSITIONS;
}

function commit(
  { plants, tables }: Parts,
  { heads, entries, from }: { heads: Head[]; entries: Numbered[]; from: number },
): object {
  const keyOf = ({ session, txn }: Head) => (txn === undefined ? undefined : `${session} ${txn}`);
  const firstAnswer = (head: Head) => (plants.forgetsTransactions ? undefined : tables.answers.get(keyOf(head) ?? ""));
  const refused = heads.flatMap((head) => {
    const answer = firstAnswer(head);
    return answer === undefined ? [] : [[head.i, "repeated", answer] as const];
  });
  const isRefused = new Set(refused.map(([i]) => i));
  const accepted = entries.filter(({ i }) => !isRefused.has(i)).toSorted((a, b) => a.i - b.i || a.n - b.n);
  if (accepted.some(({ event_id }) => event_id !== undefined && tables.eventIds.has(event_id))) throw UNIQUE();
  for (const [n, entry] of accepted.entries()) {
    tables.entries.push(placed(entry, from + n + 1));
    tables.eventIds.add(entry.event_id as string);
  }
  for (const head of heads) {
    const key = keyOf(head);
    if (key !== undefined && !isRefused.has(head.i)) tables.answers.set(key, head.answer ?? "");
  }
  tables.head = Math.max(tables.head, from + accepted.length);
  return { epoch: EPOCH, head: from, count: accepted.length, refused: refused.length > 0 ? refused : null };
}

/** The newest entries are gone, with all that rests on them. */
function forget(tables: Tables, count: number): void {
  for (const entry of tables.entries.splice(tables.entries.length - Math.min(count, tables.entries.length))) {
    tables.eventIds.delete(entry.eventId as string);
    for (const [key, answer] of tables.answers) if (answer === entry.eventId) tables.answers.delete(key);
    tables.head = Math.min(tables.head, entry.position - 1);
  }
}
