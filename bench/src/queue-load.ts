// How fast worker processes take sends out of a queue and into the log: a backlog is made while they stand still, and then they
// are let go. Everything is real: PostgreSQL on the disk, the broker, and the workers as processes of their own.

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../server/src/db/database.ts";
import { startEmbeddedPostgres } from "../../server/src/db/embedded.ts";
import { readHead } from "../../server/src/log/queries.ts";
import { openPostgresqlQueue } from "../../server/src/queue/postgresql.ts";
import { defaultTuning } from "../../server/src/queue/open.ts";
import type { Queue } from "../../server/src/queue/queue.ts";
import { openPublishing } from "../../server/src/messages/send-packs.ts";
import { openRabbitmqQueue } from "../../server/src/queue/rabbitmq.ts";
import { randomToken, realSeams } from "../../server/src/seams.ts";
import { listProcesses, type ProcessStat, withDescendants } from "./processes.ts";
import { registerPerson } from "../../testkit/src/http.ts";
import { type ParleyProcess, startProcess } from "../../testkit/src/process.ts";
import { startTestServer } from "../../testkit/src/server.ts";
import { type Service, startService } from "../../testkit/src/services.ts";
import { openTcpProxy } from "../../testkit/src/tcp-proxy.ts";

export const queueAdapters = ["postgresql", "rabbitmq"] as const;
export type QueueAdapter = (typeof queueAdapters)[number];

/** Rooms, each with one member who sends into it. */
const ROOMS = 64;
/** The rate is that between these parts of the backlog: workers do not begin and end at the same moment. */
const [FROM, TO] = [0.1, 0.9];
const LOOK_MS = 10;
const PATIENCE_MS = 120_000;

/** What a worker needs to know of a sender. */
type Sender = { session: { id: number; userId: string; deviceId: string; isAdmin: boolean }; roomId: string };

export type QueueLoadOptions = {
  adapter: QueueAdapter;
  /** How far the workers are from their database: what a statement takes there and back, beside the work itself. */
  distance_ms?: number;
};

export type QueueLoad = AsyncDisposable & {
  /** Lets so many workers bring a backlog of so many messages into the log. Rejects where one is lost. */
  drain(workers: number, messages: number): Promise<Drained>;
};

export type Drained = {
  /** Entries a second. */
  rate: number;
  /** CPU time of one entry, in microseconds, where it was spent. */
  cpu_us: { workers: number; broker: number; database: number };
};

/** Starts the database and, for RabbitMQ, the broker, and makes people and rooms. */
export async function openQueueLoad({ adapter, distance_ms = 0 }: QueueLoadOptions): Promise<QueueLoad> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "parley-queue-"));
  started.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  chmodSync(directory, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, "postgres"), onProgress() {} });
  started.defer(() => postgres.stop());
  const broker = adapter === "rabbitmq" ? started.use(await startService("rabbitmq")) : undefined;
  const senders = await makeSenders(postgres.url);
  const db = openDatabase({ url: postgres.url, connections: 2, onError() {} });
  started.defer(() => db.close());
  const queue = await openLoad(db, broker);
  started.defer(() => queue.close());
  const env = {
    DATABASE_URL: distance_ms === 0 ? postgres.url : await farFrom(postgres.url, distance_ms, started),
    ROLES: "messages",
    PARLEY_QUEUE: adapter,
    ...(broker ? { RABBITMQ_URL: broker.url } : {}),
  };
  const ending = started.move();
  const load = { env, directory, db, queue, senders, databasePid: postgres.pid };
  return {
    drain: (workers, messages) => drain(load, workers, messages),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** The database's address with a delay on the way there and on the way back. */
async function farFrom(url: string, distance_ms: number, started: AsyncDisposableStack): Promise<string> {
  const { username, hostname, port, pathname } = new URL(url);
  const path = join(decodeURIComponent(hostname), `.s.PGSQL.${port}`);
  const proxy = started.use(await openTcpProxy(() => ({ path })));
  proxy.delay(distance_ms / 2);
  return `postgres://${username}@127.0.0.1:${proxy.port}${pathname}`;
}

async function makeSenders(databaseUrl: string): Promise<Sender[]> {
  await using server = await startTestServer({
    databaseUrl,
    config: { roles: ["auth", "messages"], bus: "postgresql" },
  });
  const person = await registerPerson(server.url, "sender");
  const row = await server.ctx.db.auth.one<{ id: number }>("select session_id as id from auth.sessions");
  const session = { id: row?.id as number, userId: person.userId, deviceId: person.deviceId, isAdmin: false };
  const senders: Sender[] = [];
  for (let n = 0; n < ROOMS; n++) {
    const { room_id: roomId } = await person.call("POST", "/_matrix/client/v3/createRoom", { name: `Room ${n}` });
    senders.push({ session, roomId });
  }
  return senders;
}

async function openLoad(db: Database, broker: Service | undefined): Promise<Queue> {
  const options = {
    seams: realSeams,
    tuning: defaultTuning,
    events: { onOutcome() {}, onFailure() {}, onTrouble() {} },
  };
  const hints = { announce() {}, listen: () => () => {} };
  return broker
    ? openRabbitmqQueue({ ...options, url: broker.url })
    : openPostgresqlQueue({ ...options, db: db.queue, hints });
}

type Load = {
  env: Record<string, string>;
  directory: string;
  db: Database;
  queue: Queue;
  senders: readonly Sender[];
  databasePid: number;
};

async function drain(load: Load, workers: number, messages: number): Promise<Drained> {
  const running: ParleyProcess[] = [];
  try {
    for (let n = 0; n < workers; n++) running.push(await startProcess(join(load.directory, `worker-${n}`), load.env));
    for (const { pid } of running) process.kill(pid, "SIGSTOP");
    const { position: before } = await readHead(load.db.log);
    await publish(load, messages);
    const pids = running.map(({ pid }) => pid);
    const spent = cpuOf(load, pids);
    for (const pid of pids) process.kill(pid, "SIGCONT");
    const seconds = await timeTo(load.db, before + messages * FROM, before + messages * TO);
    await timeTo(load.db, before, before + messages);
    return { rate: (messages * (TO - FROM)) / seconds, cpu_us: perEntry(spent, cpuOf(load, pids), messages) };
  } finally {
    for (const { pid } of running) process.kill(pid, "SIGCONT");
    await Promise.all(running.map((worker) => worker[Symbol.asyncDispose]()));
  }
}

/** CPU time so far, in milliseconds. What the broker spends on confirming the backlog is over when workers are let go. */
function cpuOf({ databasePid }: Load, workers: readonly number[]): Drained["cpu_us"] {
  const all = listProcesses();
  const brokers = withDescendants(all, [process.pid]).filter(({ name }) => name === "beam.smp");
  const sum = (some: readonly ProcessStat[]) => some.reduce((total, { cpu_ms }) => total + cpu_ms, 0);
  return {
    workers: sum(withDescendants(all, workers)),
    broker: sum(brokers),
    database: sum(withDescendants(all, [databasePid])),
  };
}

function perEntry(from: Drained["cpu_us"], to: Drained["cpu_us"], messages: number): Drained["cpu_us"] {
  const each = (part: keyof Drained["cpu_us"]) => ((to[part] - from[part]) * 1_000) / messages;
  return { workers: each("workers"), broker: each("broker"), database: each("database") };
}

async function publish({ queue, senders }: Load, messages: number): Promise<void> {
  const send = openPublishing(queue);
  const together = 1_000;
  for (let start = 0; start < messages; start += together)
    await Promise.all(
      Array.from({ length: Math.min(together, messages - start) }, (_, n) => {
        const { session, roomId } = senders[(start + n) % senders.length] as Sender;
        const content = {
          msgtype: "m.text",
          body: `message ${start + n} of a backlog, of the length that people write`,
        };
        const [txnId, eventId] = [randomToken(realSeams, 12), `$${randomToken(realSeams, 32)}`];
        const sending = { session, roomId, type: "m.room.message", txnId, content, eventId };
        return send(sending);
      }),
    );
}

/** Seconds from the log's reaching one position to its reaching the other. */
async function timeTo(db: Database, from: number, to: number): Promise<number> {
  const patience_ms = performance.now() + PATIENCE_MS;
  let begun_ms: number | undefined;
  for (;;) {
    const { position } = await readHead(db.log);
    if (begun_ms === undefined && position >= from) begun_ms = performance.now();
    if (begun_ms !== undefined && position >= to) return (performance.now() - begun_ms) / 1_000;
    if (performance.now() > patience_ms) throw new Error(`the log stands at ${position} and was to reach ${to}`);
    await new Promise<void>((resolve) => realSeams.after(LOOK_MS, resolve));
  }
}
