import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Bench,
  inManyRooms,
  measureSteps,
  measureWindow,
  medianLatency,
  type Outcome,
  type Scenario,
} from "../bench.ts";
import { type Answer, type Connection, connect, exchange } from "../http.ts";
import { call, headersOf, sendRequest, type SyncQuery, syncRequest, UnexpectedAnswer, type User } from "../matrix.ts";
import { createMeter, type Meter } from "../meter.ts";
import { messageText, uniqueTag } from "../sync-answer.ts";

export const memory: Scenario = {
  name: "memory",
  title: "Resident memory of the server, many rooms loaded",
  unit: "MB",
  goals: [{ of: "value", below: 200 }],
  needs: { pair: 2, crowd: 0 },
  needsProcess: true,
  run: measureMemory,
};

export const initialSync: Scenario = {
  ...inManyRooms,
  name: "initial-sync",
  title: "Initial sync of a user in many rooms",
  goals: [],
  run: measureInitialSync,
};

export const syncUnchanged: Scenario = {
  ...inManyRooms,
  name: "sync-unchanged",
  title: "Incremental sync in many rooms, nothing changed",
  goals: [],
  run: (bench) => measureIncremental(bench, syncNothing),
};

export const syncChanged: Scenario = {
  ...inManyRooms,
  name: "sync-changed",
  title: "Incremental sync in many rooms, one message in one room",
  goals: [],
  run: (bench) => measureIncremental(bench, syncOneMessage),
};

/** Time for what the server does after the last answer, such as collecting garbage. */
const SETTLE_MS = 3_000;
const MEGABYTE = 1_000_000;

/** Resident memory after both users have done an initial sync, so that whatever is held in memory is held. */
async function measureMemory(bench: Bench): Promise<Outcome> {
  const { first, second, roomIds } = await bench.world();
  let megabytes = 0;
  const notes: string[] = [];
  const until = async (): Promise<void> => {
    for (const user of [first, second]) await initialSyncOnce({ ...bench, user, rooms: roomIds.length }, createMeter());
    await sleep(SETTLE_MS);
    const found = bench.probe.memory();
    if (found === undefined) throw new Error("the server's process has ended");
    megabytes = found.server_bytes / MEGABYTE;
    notes.push(`${roomIds.length} rooms of 2 members and 10 messages; peak ${inMegabytes(found.serverPeak_bytes)}`);
    if (found.postgres_bytes !== undefined) notes.push(`PostgreSQL beside it ${inMegabytes(found.postgres_bytes)}`);
  };
  const run = await measureWindow(bench, { meter: createMeter(), value: () => megabytes, until });
  return { runs: [{ ...run, count: roomIds.length }], notes };
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(0)} MB`;
}

interface Syncing {
  origin: string;
  user: User;
  /** How many joined rooms the answer must hold. */
  rooms: number;
}

const INITIAL_SYNCS = 5;

async function measureInitialSync(bench: Bench): Promise<Outcome> {
  const { first, roomIds } = await bench.world();
  const meter = createMeter();
  let bytes = 0;
  const until = async (): Promise<void> => {
    for (let count = 0; count < INITIAL_SYNCS; count++) {
      bytes = await initialSyncOnce({ origin: bench.origin, user: first, rooms: roomIds.length }, meter);
      bench.progress(`sync ${count + 1}/${INITIAL_SYNCS}`);
    }
  };
  const run = await measureWindow(bench, { meter, value: medianLatency, until });
  return { runs: [run], notes: [`${roomIds.length} rooms, ${bytes} bytes, timelines of the server's default length`] };
}

/** Times one sync without a token to its last byte, and gives its bytes. @throws Error when rooms are missing from it. */
async function initialSyncOnce({ origin, user, rooms }: Syncing, meter: Meter): Promise<number> {
  const connection = connect(origin);
  const from_ms = performance.now();
  const answer = await sync(connection, user, { timeout_ms: 0 });
  meter.hit(performance.now() - from_ms);
  await connection.destroy();
  const found = Object.keys(JSON.parse(answer.body.toString()).rooms?.join ?? {}).length;
  if (found < rooms) throw new Error(`the initial sync holds ${found} of ${rooms} rooms`);
  return answer.body.length;
}

async function sync(connection: Connection, user: User, query: SyncQuery): Promise<Answer> {
  const request = syncRequest(query);
  const answer = await exchange(connection, { ...request, headers: headersOf(user) });
  if (answer.status !== 200) throw new UnexpectedAnswer(request, answer);
  return answer;
}

/** One reader's place in the many rooms, and the means to change something in them. */
interface Place {
  connection: Connection;
  reader: User;
  writer: User;
  roomIds: string[];
  since: string;
  tag: string;
  sent: number;
}

async function measureIncremental(bench: Bench, step: (place: Place, meter: Meter) => Promise<void>): Promise<Outcome> {
  const { first, second, roomIds } = await bench.world();
  const connection = connect(bench.origin);
  const initial = await sync(connection, first, { timeout_ms: 0 });
  const since = JSON.parse(initial.body.toString()).next_batch as string;
  const place: Place = { connection, reader: first, writer: second, roomIds, since, tag: uniqueTag(), sent: 0 };
  try {
    return { runs: await measureSteps(bench, (meter) => step(place, meter)), notes: [] };
  } finally {
    await connection.destroy();
  }
}

async function syncNothing(place: Place, meter: Meter): Promise<void> {
  const from_ms = performance.now();
  const answer = await sync(place.connection, place.reader, { since: place.since, timeout_ms: 0 });
  meter.hit(performance.now() - from_ms);
  place.since = JSON.parse(answer.body.toString()).next_batch;
}

/** The clock runs until the message is in an answer, even if an earlier answer comes without it. */
async function syncOneMessage(place: Place, meter: Meter): Promise<void> {
  const text = messageText(place.tag, place.sent++);
  const roomId = place.roomIds[place.sent % place.roomIds.length] ?? "";
  await call(place.connection, place.writer, sendRequest(roomId, text));
  const from_ms = performance.now();
  for (let seen = false; !seen;) {
    const answer = await sync(place.connection, place.reader, { since: place.since, timeout_ms: 10_000 });
    const elapsed_ms = performance.now() - from_ms;
    seen = answer.body.includes(`"${text}"`);
    if (seen) meter.hit(elapsed_ms);
    place.since = JSON.parse(answer.body.toString()).next_batch;
  }
}
