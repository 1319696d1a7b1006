import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Connection, connect, exchange, failureReason, retryAfter_ms } from "./http.ts";
import type { Ledger } from "./ledger.ts";
import { call, createFilter, headersOf, syncRequest, type User } from "./matrix.ts";
import type { Meter } from "./meter.ts";
import type { SyncReader } from "./sync-answer.ts";

/** Clients that long-poll `/sync`, each over a connection of its own. */
export interface Reading {
  origin: string;
  users: readonly User[];
  reader: SyncReader;
  ledger: Ledger;
  /** Hit once for each message that a reader sees for the first time, with the time since before its sending. */
  meter: Meter;
}

export interface Readers {
  /** Answers whose timeline left messages out; what they left out is never counted as delivered. */
  gaps(): number;
  /** Answers read, with and without messages. */
  answers(): number;
  /** Rejects when an answer could not be read, since the counts are then worth nothing. */
  stop(): Promise<void>;
}

const LONG_POLL_MS = 30_000;
const AFTER_FAILURE_MS = 100;

/** More than a room gathers between two answers of a working server, and no more than servers allow. */
const FILTER = { room: { timeline: { limit: 100 } } };

interface Client {
  index: number;
  connection: Connection;
  headers: string[];
  filterId: string;
  since: string;
}

/** Signs all readers up with an initial sync and starts their long polls. Rejects when one can not sync. */
export async function startReaders(reading: Reading): Promise<Readers> {
  const clients = await Promise.all(reading.users.map((user, index) => openClient(reading.origin, user, index)));
  const stopping = new AbortController();
  const counts = { gaps: 0, answers: 0 };
  const finished = Promise.all(
    clients.map((client) => follow(client, { ...reading, counts, stopped: stopping.signal })),
  );
  finished.catch(() => undefined); // told by stop()
  return {
    gaps: () => counts.gaps,
    answers: () => counts.answers,
    async stop() {
      stopping.abort();
      // The long polls hang by design; cutting the connections ends them.
      await Promise.all(clients.map(({ connection }) => connection.destroy()));
      await finished;
    },
  };
}

async function openClient(origin: string, user: User, index: number): Promise<Client> {
  const connection = connect(origin);
  const filterId = await createFilter(connection, user, FILTER);
  const initial = await call<{ next_batch: string }>(connection, user, syncRequest({ timeout_ms: 0, filterId }));
  return { index, connection, headers: headersOf(user), filterId, since: initial.next_batch };
}

interface Following extends Reading {
  counts: { gaps: number; answers: number };
  stopped: AbortSignal;
}

/** A failed poll is counted and tried again; an answer that can not be read ends the loop. */
async function follow(client: Client, following: Following): Promise<void> {
  while (!following.stopped.aborted) {
    const answer = await poll(client).catch((error: unknown) => failureReason(error));
    if (following.stopped.aborted) return;
    if (typeof answer !== "string" && answer.status === 200) {
      take(client, answer.body, following);
      continue;
    }
    following.meter.fail(typeof answer === "string" ? answer : String(answer.status));
    await sleep(typeof answer === "string" ? AFTER_FAILURE_MS : retryAfter_ms(answer, AFTER_FAILURE_MS));
  }
}

function poll(client: Client): Promise<Answer> {
  const query = { since: client.since, timeout_ms: LONG_POLL_MS, filterId: client.filterId };
  return exchange(client.connection, { ...syncRequest(query), headers: client.headers });
}

function take(client: Client, body: Buffer, { reader, ledger, meter, counts }: Following): void {
  counts.answers++;
  const { nextBatch, sequence, limited } = reader(body);
  const at_ms = performance.now();
  for (const number of sequence) {
    const latency_ms = ledger.deliver(client.index, { number, at_ms });
    if (latency_ms !== undefined) meter.hit(latency_ms);
  }
  if (limited) counts.gaps++;
  client.since = nextBatch;
}
