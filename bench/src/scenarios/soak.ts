import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, measureWindow, type Outcome, type Scenario, takeUsers } from "../bench.ts";
import { connect } from "../http.ts";
import { createLedger } from "../ledger.ts";
import { call, createRoom, joinRoom, syncRequest, type User } from "../matrix.ts";
import { createMeter, type Meter } from "../meter.ts";
import { startReaders } from "../readers.ts";
import { type Running, startSenders } from "../senders.ts";
import { openStreamClient, startStreamReaders } from "../stream-readers.ts";
import { scanReader, uniqueTag } from "../sync-answer.ts";
import { judgeMemory, type MemorySample } from "../trend.ts";
import { roomTogether, startAlone } from "./sends.ts";

const MEMBERS = 20;
const LONE_SENDERS = 16;
const TOGETHER_PER_SECOND = 5;
const ALONE_PER_SECOND = 40;
const SAMPLE_EVERY_MS = 10_000;
/** A short run, which only shows that it runs, has so many samples. */
const LEAST_SAMPLES = 20;
const VISIT_EVERY_MS = 1_000;
/** Each so-manieth visitor makes a room. */
const ROOM_EVERY = 10;
const FEATURE = "io.parley.stream";

export const soak: Scenario = {
  name: "soak",
  title: "Soak: growth of the server's resident memory under mixed load; times of its sends",
  unit: "MB/h",
  goals: [{ of: "value", below: 20 }],
  needs: { pair: 0, crowd: MEMBERS * 2 + LONE_SENDERS },
  needsProcess: true,
  onlyByName: true,
  run: measureSoak,
};

/** A room that is read through /sync, one that is read through the stream, people who write alone, and visitors. */
async function measureSoak(bench: Bench): Promise<Outcome> {
  const users = takeUsers(bench.crowd, MEMBERS * 2 + LONE_SENDERS);
  const meter = createMeter();
  await using load = new AsyncDisposableStack();
  const begin = (running: Running) => load.defer(() => running.stop());
  const hasStream = bench.features.has(FEATURE);
  begin(await startRoom(bench, { users: users.slice(0, MEMBERS), meter, start: startReaders }));
  if (hasStream) {
    begin(await startRoom(bench, { users: users.slice(MEMBERS, MEMBERS * 2), meter, start: startStreamReaders }));
  }
  const alone = { users: users.slice(MEMBERS * 2), meter, perSecond: ALONE_PER_SECOND };
  begin(await startAlone(bench.origin, alone));
  begin(startVisits(bench, users.slice(MEMBERS * 2), hasStream));
  await sleep(bench.options.warmup * 1000);
  const samples: MemorySample[] = [];
  const value = (): number => judgeMemory(samples).slope_MBPerHour;
  const run = await measureWindow(bench, { meter, value, until: () => takeSamples(bench, samples) });
  const { first_MB, last_MB } = judgeMemory(samples);
  const quarters = `median of the first quarter ${first_MB.toFixed(1)} MB, of the last ${last_MB.toFixed(1)} MB`;
  return { runs: [run], notes: [`${bench.options.minutes} minutes, ${samples.length} samples: ${quarters}`] };
}

async function takeSamples(bench: Bench, samples: MemorySample[]): Promise<void> {
  const length_ms = bench.options.minutes * 60_000;
  const every_ms = Math.min(SAMPLE_EVERY_MS, length_ms / LEAST_SAMPLES);
  const from_ms = performance.now();
  for (let count = 1; count * every_ms <= length_ms; count++) {
    await sleep(Math.max(0, from_ms + count * every_ms - performance.now()));
    const memory = bench.probe.memory();
    if (memory === undefined) throw new Error("the server's process has ended");
    samples.push({ at_ms: performance.now() - from_ms, bytes: memory.server_bytes });
    bench.progress(`sample ${count}/${Math.floor(length_ms / every_ms)}: ${(memory.server_bytes / 1e6).toFixed(0)} MB`);
  }
}

interface RoomLoad {
  users: readonly User[];
  /** Of the sends. */
  meter: Meter;
  start: typeof startReaders;
}

/** Members of one room who write by the clock and read what the others write. */
async function startRoom({ origin }: Bench, { users, meter, start }: RoomLoad): Promise<Running> {
  const lanes = await roomTogether(origin, users);
  const [tag, ledger] = [uniqueTag(), createLedger(users.length)];
  const readers = await start({ origin, users, reader: scanReader(tag), ledger, meter: createMeter() });
  const senders = startSenders({ origin, lanes, tag, ledger, meter, interval_ms: 1000 / TOGETHER_PER_SECOND });
  return {
    async stop() {
      await senders.stop();
      await readers.stop();
    },
  };
}

/** People who come, look at everything and go, one a second; some of them make a room, into which another comes. */
function startVisits(bench: Bench, users: readonly User[], hasStream: boolean): Running {
  const stopping = new AbortController();
  const work = async (): Promise<void> => {
    for (let count = 0; !stopping.signal.aborted; count++) {
      const [user, other] = [users[count % users.length], users[(count + 1) % users.length]] as [User, User];
      await visit(bench.origin, user, hasStream);
      if (count % ROOM_EVERY === 0) await meet(bench.origin, user, other);
      await sleep(VISIT_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const finished = work();
  finished.catch(() => undefined); // told by stop()
  return {
    async stop() {
      stopping.abort();
      await finished;
    },
  };
}

async function visit(origin: string, user: User, hasStream: boolean): Promise<void> {
  const connection = connect(origin);
  await call(connection, user, syncRequest({ timeout_ms: 0 }));
  await connection.destroy();
  if (!hasStream) return;
  (await openStreamClient({ origin, user, onAnswer: () => undefined, onEnd: () => undefined })).destroy();
}

async function meet(origin: string, user: User, other: User): Promise<void> {
  const connection = connect(origin);
  const roomId = await createRoom(connection, user, "Soak");
  await joinRoom(connection, other, roomId);
  await connection.destroy();
}
