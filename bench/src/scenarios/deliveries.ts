import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Bench,
  measureRuns,
  medianLatency,
  type Outcome,
  perSecond,
  type Scenario,
  takeUsers,
  type ValueOf,
} from "../bench.ts";
import { createLedger, type Ledger } from "../ledger.ts";
import { countFailures, createMeter } from "../meter.ts";
import { type Readers, type Reading, startReaders } from "../readers.ts";
import { spread } from "../samples.ts";
import { type Lane, startSenders } from "../senders.ts";
import { parseReader, scanReader, type SyncReader, uniqueTag } from "../sync-answer.ts";
import { roomTogether } from "./sends.ts";

const READERS = 50;
const MEMBERS = 20;
const MESSAGES_PER_SECOND = 10;

export const deliveries: Scenario = {
  name: "deliveries",
  title: `Deliveries through /sync to ${READERS} clients in one room`,
  unit: "deliveries/s",
  goals: [{ of: "value", atLeast: 5_000 }],
  needs: { pair: 0, crowd: READERS },
  run: (bench) =>
    measureDeliveries(bench, {
      members: READERS,
      senders: Math.min(READERS, bench.options.deliverySenders),
      reader: scanReader,
      value: perSecond,
    }),
};

export const latency: Scenario = {
  name: "latency",
  title: `Delivery, ${MESSAGES_PER_SECOND} messages/s to ${MEMBERS} syncing members`,
  unit: "ms",
  goals: [
    { of: "p50_ms", below: 10 },
    { of: "p99_ms", below: 40 },
  ],
  needs: { pair: 0, crowd: MEMBERS },
  run: (bench) =>
    measureDeliveries(bench, {
      members: MEMBERS,
      senders: MEMBERS,
      interval_ms: 1000 / MESSAGES_PER_SECOND,
      reader: parseReader,
      value: medianLatency,
    }),
};

export interface Shape {
  /** All of them sync. */
  members: number;
  /** How many of them also send. */
  senders: number;
  interval_ms?: number;
  reader: (tag: string) => SyncReader;
  value: ValueOf;
  /** How the members are told; by default through /sync. */
  start?: (reading: Reading) => Promise<Readers>;
}

/** Members of one room read, some of them write, and each message is counted where it arrives. */
export async function measureDeliveries(bench: Bench, shape: Shape): Promise<Outcome> {
  return measureAmong(bench, await roomTogether(bench.origin, takeUsers(bench.crowd, shape.members)), shape);
}

/** The same with members who are in their room already; in the room there may be others, who are not connected. */
export async function measureAmong(bench: Bench, lanes: readonly Lane[], shape: Shape): Promise<Outcome> {
  const { origin } = bench;
  const tag = uniqueTag();
  const ledger = createLedger(shape.members);
  const seen = createMeter();
  const sent = createMeter();
  const users = lanes.map(({ user }) => user);
  const readers = await (shape.start ?? startReaders)({
    origin,
    users,
    reader: shape.reader(tag),
    ledger,
    meter: seen,
  });
  const interval = shape.interval_ms === undefined ? {} : { interval_ms: shape.interval_ms };
  const senders = startSenders({ origin, lanes: lanes.slice(0, shape.senders), tag, ledger, meter: sent, ...interval });
  const from_ms = performance.now();
  try {
    const runs = await measureRuns(bench, seen, shape.value);
    await senders.stop();
    const seconds = (performance.now() - from_ms) / 1000;
    await drain(ledger);
    const { latencies, failures } = sent.cut();
    const rate = `${(latencies.length / seconds).toFixed(0)} sends/s, p99 ${spread(latencies)?.p99_ms.toFixed(1)} ms`;
    return { runs, notes: [...tell(ledger, readers, countFailures(failures)), rate] };
  } finally {
    await senders.stop();
    await readers.stop();
  }
}

const DRAIN_LIMIT_MS = 10_000;
const DRAIN_STEP_MS = 50;

/** Waits until every reader has every acknowledged message, as long as messages still come. */
async function drain(ledger: Ledger): Promise<void> {
  const limit_ms = performance.now() + DRAIN_LIMIT_MS;
  while (ledger.totals().outstanding > 0 && performance.now() < limit_ms) await sleep(DRAIN_STEP_MS);
}

function tell(ledger: Ledger, readers: Readers, failedSends: number): string[] {
  const { acknowledged, delivered, repeated, outstanding } = ledger.totals();
  const notes = [
    `${acknowledged} messages acknowledged, ${delivered} deliveries in ${readers.answers()} answers, ${outstanding} missing`,
  ];
  if (repeated > 0) notes.push(`${repeated} deliveries repeated (not counted)`);
  if (readers.gaps() > 0) notes.push(`${readers.gaps()} answers were limited; what they left out is missing above`);
  if (failedSends > 0) notes.push(`${failedSends} sends failed`);
  return notes;
}
