import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, measureRuns, measureWindow, type Outcome, perSecond, type Scenario, takeUsers } from "../bench.ts";
import { openFanOut } from "../fan-out.ts";
import { createMeter } from "../meter.ts";
import { openStreamClient, startStreamReaders } from "../stream-readers.ts";
import { scanReader } from "../sync-answer.ts";
import type { WebSocketLink } from "../websocket.ts";
import { measureDeliveries } from "./deliveries.ts";

const FEATURE = "io.parley.stream";
const MEMBERS = 100;

export const streamDeliveries: Scenario = {
  name: "stream-deliveries",
  title: `Deliveries through the stream to ${MEMBERS} clients in one room, sent over HTTP`,
  unit: "deliveries/s",
  goals: [{ of: "p99_ms", below: 50 }],
  needs: { pair: 0, crowd: MEMBERS },
  needsFeature: FEATURE,
  run: (bench) =>
    measureDeliveries(bench, {
      members: MEMBERS,
      senders: Math.min(MEMBERS, bench.options.deliverySenders),
      reader: scanReader,
      value: perSecond,
      start: startStreamReaders,
    }),
};

export const streamFanOut: Scenario = {
  name: "stream-fan-out",
  title: `The stream's way out: rooms of ${MEMBERS}, messages appended to Parley's log without HTTP`,
  unit: "deliveries/s",
  goals: [{ of: "value", atLeast: 300_000 }],
  needs: { pair: 0, crowd: 0 },
  needsFeature: FEATURE,
  run: (bench) => measureFanOut(bench),
};

const PACE_PER_SECOND = 3_200;

export const streamPaced: Scenario = {
  name: "stream-paced",
  title: `The stream's way out by the clock: ${PACE_PER_SECOND} messages/s in rooms of ${MEMBERS}`,
  unit: "deliveries/s",
  goals: [
    { of: "value", atLeast: 300_000 },
    { of: "p99_ms", below: 50 },
  ],
  needs: { pair: 0, crowd: 0 },
  needsFeature: FEATURE,
  run: (bench) => measureFanOut(bench, PACE_PER_SECOND),
};

const IDLE_USERS = 50;
/** Below what one person may have. */
const IDLE_EACH = 40;

export const streamIdle: Scenario = {
  name: "stream-idle",
  title: `Resident memory of one idle stream, of ${IDLE_USERS * IDLE_EACH}`,
  unit: "kB",
  goals: [{ of: "value", below: 12 }],
  needs: { pair: 0, crowd: IDLE_USERS },
  needsProcess: true,
  needsFeature: FEATURE,
  run: measureIdle,
};

async function measureFanOut(bench: Bench, pace = 0): Promise<Outcome> {
  const meter = createMeter();
  await using load = await openFanOut({ meter, perSecond: pace });
  load.begin();
  return { runs: await measureRuns(bench, meter, perSecond), notes: [] };
}

/** Time for what the server does after the last sign-in, such as collecting garbage. */
const SETTLE_MS = 5_000;

async function measureIdle(bench: Bench): Promise<Outcome> {
  const users = takeUsers(bench.crowd, IDLE_USERS);
  const links: WebSocketLink[] = [];
  const open = async () => {
    for (const user of users)
      for (let i = 0; i < IDLE_EACH; i++) {
        const options = { origin: bench.origin, user, onAnswer: () => undefined, onEnd: () => undefined };
        links.push(await openStreamClient(options));
        bench.progress(`streams ${links.length}/${IDLE_USERS * IDLE_EACH}`);
      }
  };
  const resident = (): number => {
    const memory = bench.probe.memory();
    if (memory === undefined) throw new Error("the server's process has ended");
    return memory.server_bytes;
  };
  // What the first sign-ins load for good is no part of a connection.
  for (const user of users)
    (
      await openStreamClient({ origin: bench.origin, user, onAnswer: () => undefined, onEnd: () => undefined })
    ).destroy();
  await sleep(SETTLE_MS);
  const before_bytes = resident();
  let each_kB = 0;
  const until = async () => {
    await open();
    await sleep(SETTLE_MS);
    each_kB = (resident() - before_bytes) / links.length / 1_000;
  };
  try {
    const run = await measureWindow(bench, { meter: createMeter(), value: () => each_kB, until });
    return { runs: [{ ...run, count: links.length }], notes: [] };
  } finally {
    for (const link of links) link.destroy();
  }
}
