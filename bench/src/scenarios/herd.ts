import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, measureWindow, needDescriptors, type Outcome, type Scenario } from "../bench.ts";
import { type Fleet, onFleet, startFleet } from "../fleet.ts";
import { type Herd, openHerd } from "../herd.ts";
import { connect } from "../http.ts";
import { call, createRoom, joinRoom, sendRequest, type User } from "../matrix.ts";
import { createMeter } from "../meter.ts";
import { createProbe } from "../probe.ts";
import { readProcess, residentMemory } from "../processes.ts";
import { percentile, spread } from "../samples.ts";
import { uniqueTag } from "../sync-answer.ts";
import { prepareUsers } from "../users.ts";
import { startAlone } from "./sends.ts";

/** Devices of one person. */
const STREAMS_EACH = 4;
const ROOM_MEMBERS = 50;
const OTHERS = 16;
const OTHERS_PER_SECOND = 100;
const LIMIT_MS = 180_000;
/** What a process has open beside the streams. */
const FURTHER_FILES = 500;

export const reconnectHerd: Scenario = {
  name: "reconnect-herd",
  title: "Streams after SIGKILL of their server, until the last is back; times of others' sends",
  unit: "s",
  goals: [
    { of: "value", below: 60 },
    { of: "p99_ms", below: 1_000 },
  ],
  needs: { pair: 0, crowd: 0 },
  needsOwnServers: true,
  run: measureHerd,
};

/** Two servers: one has all the streams and is killed, the other serves people who write all the while. */
async function measureHerd(bench: Bench): Promise<Outcome> {
  const count = bench.options.herd;
  needDescriptors(count + FURTHER_FILES);
  await using fleet = await startFleet(2);
  const [herdOrigin = "", origin = ""] = fleet.origins;
  const people = Math.ceil(count / STREAMS_EACH);
  const users = await prepareUsers({ origin, count: people + OTHERS, progress: bench.progress });
  const rooms = await makeRooms(origin, users.slice(0, people));
  const streams = Array.from({ length: count }, (_, index) => users[index % people] as User);
  const herd = await openHerd({ origin: herdOrigin, users: streams, progress: bench.progress });
  const meter = createMeter();
  const others = { users: users.slice(people), meter, perSecond: OTHERS_PER_SECOND };
  const senders = await startAlone(origin, others);
  try {
    await sleep(bench.options.warmup * 1000);
    meter.cut();
    await sleep(bench.options.seconds * 1000);
    const before = spread(meter.cut().latencies);
    const notes = [`${count} streams of ${people} people; others' p99 before it ${before?.p99_ms.toFixed(0)} ms`];
    let last_s = 0;
    const until = async (): Promise<void> => {
      const { times, cost } = await killAndWait({ fleet, herd, origin, rooms });
      last_s = percentile(times, 100) / 1000;
      notes.push(tell(times), cost, `attempts that failed: ${JSON.stringify(herd.refusals())}`);
    };
    // The killed server's processor time went with it, so none is told.
    const probe = createProbe({ serverPids: [], postgresPids: fleet.watched.postgresPids });
    const run = await measureWindow({ ...onFleet(bench, fleet), probe }, { meter, value: () => last_s, until });
    return { runs: [run], notes };
  } finally {
    herd.stop();
    await senders.stop();
  }
}

interface Room {
  owner: User;
  roomId: string;
}

/** Everybody is in one room with others, into which something is written while they are away. */
async function makeRooms(origin: string, people: readonly User[]): Promise<Room[]> {
  const groups = Array.from({ length: Math.ceil(people.length / ROOM_MEMBERS) }, (_, group) =>
    people.slice(group * ROOM_MEMBERS, (group + 1) * ROOM_MEMBERS),
  );
  const rooms: Room[] = [];
  const make = async ([owner, ...others]: User[]): Promise<void> => {
    if (owner === undefined) return;
    const connection = connect(origin);
    const roomId = await createRoom(connection, owner, "Herd");
    for (const user of others) await joinRoom(connection, user, roomId);
    await connection.destroy();
    rooms.push({ owner, roomId });
  };
  await Promise.all(groups.map(make));
  return rooms;
}

interface Cut {
  fleet: Fleet;
  herd: Herd;
  /** The server that stays. */
  origin: string;
  rooms: readonly Room[];
}

/** A message comes into each room while its people are away, so that who is back has read it. */
async function killAndWait({ fleet, herd, origin, rooms }: Cut): Promise<{ times: Float64Array; cost: string }> {
  const text = `${uniqueTag()}while-away`;
  const back = herd.back(text, LIMIT_MS);
  back.catch(() => undefined); // heard below, unless the start fails
  await fleet.kill(0);
  const connection = connect(origin);
  for (const { owner, roomId } of rooms) await call(connection, owner, sendRequest(roomId, text));
  await connection.destroy();
  await fleet.start(0);
  const started_ms = cpuOf(fleet.pid(0));
  const times = await back;
  return { times, cost: tellCost(fleet.pid(0), started_ms, times.length) };
}

/** Processor time does not depend on what else the machine does, as the seconds do. */
function tellCost(pid: number, started_ms: number, count: number): string {
  const used_ms = cpuOf(pid) - started_ms;
  const peak_MB = residentMemory(pid).peak_bytes / 1_000_000;
  const each = `${(used_ms / count).toFixed(2)} ms of processor time for each stream`;
  return `their server: ${each}, ${(started_ms / 1000).toFixed(1)} s for its start; peak ${peak_MB.toFixed(0)} MB`;
}

function cpuOf(pid: number): number {
  return readProcess(pid)?.cpu_ms ?? 0;
}

function tell(times: Float64Array): string {
  const seconds = (percent: number): string => (percentile(times, percent) / 1000).toFixed(1);
  return `after the kill half were back in ${seconds(50)} s, 99 % in ${seconds(99)} s, the last in ${seconds(100)} s`;
}
