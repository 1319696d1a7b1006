/**
 * Many writers append to one log through two replicas while readers follow it, connections are cut, replies are lost and hints
 * go missing. What everybody saw is recorded, for check.ts.
 */
import {
  connectOwner,
  type Database,
  openDatabase,
  sqlState,
  UNIQUE_VIOLATION,
} from "../../../server/src/db/database.ts";
import type { NewEntry } from "../../../server/src/log/entry.ts";
import { type Log, openLog } from "../../../server/src/log/open.ts";
import { createLogger } from "../../../server/src/logger.ts";
import { createMetrics } from "../../../server/src/metrics.ts";
import { realSeams } from "../../../server/src/seams.ts";
import type { Sent, Stored } from "./check.ts";
import type { Random } from "./random.ts";

export interface Workload {
  writers: number;
  messages: number;
  /** How often a hint does not arrive at the other replica. */
  hintLoss: number;
  /** How often a message is sent again although it was answered, or its answer is thrown away. */
  retries: number;
  /** How many times all of one replica's connections are cut. */
  cuts: number;
  /** The planted bug of G1: the client is answered whether or not the commit succeeded. */
  answersTooEarly?: boolean;
}

export interface Recorded {
  sent: Sent[];
  /** Every event id under which a message was ever tried. */
  attempts: Map<string, string[]>;
  /** How often the database refused an append because another one had taken its positions. */
  clashes: number;
  stored: Stored[];
  /** What each replica's hub handed out, and what a plain reader of the table saw. */
  hubs: Stored[][];
  reader: Stored[];
}

interface Replica {
  db: Database;
  log: Log;
  seen: Stored[];
}

/** Runs the workload on a database and gives what was seen. */
export async function runWorkload(url: string, random: Random, workload: Workload): Promise<Recorded> {
  const replicas: Replica[] = [];
  for (let i = 0; i < 2; i++) replicas.push(await openReplica(url, { replicas, random, hintLoss: workload.hintLoss }));
  const [first, second] = replicas as [Replica, Replica];
  // Connections of its own, which are not cut: what it sees is what a reader in good health sees.
  const owner = await connectOwner(url);
  const stopReading = new AbortController();
  const reader = follow(owner, stopReading.signal);
  const record = { sent: [] as Sent[], attempts: new Map<string, string[]>(), clashes: 0 };
  const writers = Array.from({ length: workload.writers }, (_, i) =>
    write(`w${i}`, { random, workload, replicas, record }),
  );
  const cutting = cutConnections(url, { cuts: workload.cuts, until: Promise.all(writers) });
  await Promise.all(writers);
  await cutting;
  const { rows: stored } = await owner.query<Stored>(
    `select position, event_id as "eventId" from log.entries order by position`,
  );
  const last = stored.at(-1)?.position ?? 0;
  await Promise.all([first.log.hub.reached(last), second.log.hub.reached(last)]);
  stopReading.abort();
  const read = await reader;
  for (const replica of replicas) {
    await replica.log.close();
    await replica.db.close();
  }
  await owner.end();
  return { ...record, stored, hubs: replicas.map((replica) => replica.seen), reader: read };
}

async function openReplica(
  url: string,
  { replicas, random, hintLoss }: { replicas: Replica[]; random: Random; hintLoss: number },
): Promise<Replica> {
  const db = openDatabase({ url, connections: 4, onError: () => {} });
  const seen: Stored[] = [];
  const announce = (position: number) => {
    for (const other of replicas)
      if (other.db !== db && !random.chance(hintLoss)) setImmediate(() => other.log.hub.hint(position));
  };
  const log = await openLog({
    db,
    seams: realSeams,
    logger: createLogger("silent"),
    metrics: createMetrics(),
    announce,
  });
  log.hub.listen((entries) =>
    seen.push(...entries.map(({ position, eventId }) => ({ position, eventId: eventId as string }))),
  );
  return { db, log, seen };
}

interface WriteOptions {
  random: Random;
  workload: Workload;
  replicas: readonly Replica[];
  record: Pick<Recorded, "sent" | "attempts" | "clashes">;
}

/** One client: it sends its messages one after the other, and tries each until it has an answer. */
async function write(writer: string, { random, workload, replicas, record }: WriteOptions): Promise<void> {
  for (let number = 0; number < workload.messages; number++) {
    const key = `${writer}-${number}`;
    const sent: Sent = { writer, key, number, answers: [] };
    record.sent.push(sent);
    record.attempts.set(key, []);
    const wanted = random.chance(workload.retries) ? 2 : 1;
    while (sent.answers.length < wanted) {
      const replica = random.pick(replicas);
      const eventId = `$${key}-${record.attempts.get(key)?.length}`;
      record.attempts.get(key)?.push(eventId);
      const tried = await append(replica.log, { key, eventId, room: `!room${random.below(5)}` }).catch(
        (thrown: unknown) => {
          if (sqlState(thrown) === UNIQUE_VIOLATION) record.clashes += 1;
          return undefined;
        },
      );
      const answer = tried ?? (workload.answersTooEarly ? eventId : undefined);
      if (answer !== undefined) sent.answers.push(answer);
    }
  }
}

/** One attempt; undefined where it is to be made again. Throws where nobody knows whether it was appended. */
async function append(
  log: Log,
  { key, eventId, room }: { key: string; eventId: string; room: string },
): Promise<string | undefined> {
  const entry: NewEntry = {
    kind: "event",
    room,
    user: "@writer:test",
    event_id: eventId,
    type: "m.room.message",
    ts: 0,
    body: `{"content":{"body":"${key}"}}`,
  };
  const transaction = { session: 1, key, answer: eventId };
  const appended = await log.append({ lane: room, transaction, entries: [entry] });
  return appended.outcome === "stale" ? undefined : appended.answer;
}

/** A plain reader: it asks for what is above the last position that it saw, again and again. */
async function follow(client: Owner, signal: AbortSignal): Promise<Stored[]> {
  const seen: Stored[] = [];
  const readOn = async () => {
    const { rows } = await client.query<Stored>(
      `select position, event_id as "eventId" from log.entries where position > $1 order by position limit 500`,
      [seen.at(-1)?.position ?? 0],
    );
    seen.push(...rows);
    return rows.length;
  };
  while (!signal.aborted) await readOn();
  while ((await readOn()) > 0);
  return seen;
}

type Owner = Awaited<ReturnType<typeof connectOwner>>;

/** Cuts every connection of the log's role, now and then, for as long as somebody writes. */
async function cutConnections(url: string, { cuts, until }: { cuts: number; until: Promise<unknown> }): Promise<void> {
  const owner = await connectOwner(url);
  const writing = { done: false };
  void until.then(() => (writing.done = true));
  for (let i = 0; i < cuts && !writing.done; i++) {
    await owner.query("select pg_sleep(0.02)");
    await owner.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parley log' and datname = current_database()",
    );
  }
  await owner.end();
}
