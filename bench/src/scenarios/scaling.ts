import { type Bench, measureRuns, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { onFleet, startFleet } from "../fleet.ts";
import { createLedger } from "../ledger.ts";
import { createMeter } from "../meter.ts";
import type { Goal } from "../result.ts";
import { startSenders } from "../senders.ts";
import { uniqueTag } from "../sync-answer.ts";
import { prepareUsers } from "../users.ts";
import { roomEach } from "./sends.ts";

const SENDERS = 32;
/** Half of the rate that is the goal of four processes. */
const PACE_PER_SECOND = 2_500;

/** The load of sends-many, spread over so many server processes on one PostgreSQL. */
export const scaling: readonly Scenario[] = [
  saturated(1, []),
  saturated(2, []),
  saturated(4, [{ of: "value", atLeast: 5_000 }]),
  {
    name: "scaling-half",
    title: `Sends by the clock, ${PACE_PER_SECOND}/s, 4 server processes`,
    unit: "sends/s",
    goals: [
      { of: "value", atLeast: PACE_PER_SECOND * 0.95 },
      { of: "p99_ms", below: 50 },
    ],
    needs: { pair: 0, crowd: 0 },
    needsOwnServers: true,
    run: (bench) => measureScaling(bench, { processes: 4, perSecond: PACE_PER_SECOND }),
  },
];

function saturated(processes: number, goals: Goal[]): Scenario {
  return {
    name: `scaling-${processes}`,
    title: `Sends, ${SENDERS} senders in ${SENDERS} rooms, ${processes} server process${processes === 1 ? "" : "es"}`,
    unit: "sends/s",
    goals,
    needs: { pair: 0, crowd: 0 },
    needsOwnServers: true,
    run: (bench) => measureScaling(bench, { processes }),
  };
}

interface Load {
  processes: number;
  /** Of all senders together, by the clock; without it each sends again when it has its answer. */
  perSecond?: number;
}

/** Each sender stays with one process, and a room's sender is its only member: what the processes share is the database. */
async function measureScaling(bench: Bench, load: Load): Promise<Outcome> {
  await using fleet = await startFleet(load.processes);
  const own = onFleet(bench, fleet);
  const users = await prepareUsers({ origin: own.origin, count: SENDERS, progress: bench.progress });
  const lanes = await roomEach(own.origin, users);
  const shared = { tag: uniqueTag(), ledger: createLedger(0), meter: createMeter() };
  const pace = load.perSecond === undefined ? {} : { interval_ms: (1000 / load.perSecond) * load.processes };
  const senders = fleet.origins.map((origin, index) =>
    startSenders({ ...shared, ...pace, origin, lanes: lanes.filter((_, lane) => lane % load.processes === index) }),
  );
  try {
    return { runs: await measureRuns(own, shared.meter, perSecond), notes: [] };
  } finally {
    await Promise.all(senders.map((each) => each.stop()));
  }
}
