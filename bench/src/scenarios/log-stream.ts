import { type Bench, measureRuns, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { onFleet, startFleet } from "../fleet.ts";
import { createMeter } from "../meter.ts";
import { startStreamSenders } from "../stream-senders.ts";
import { uniqueTag } from "../sync-answer.ts";
import { prepareUsers } from "../users.ts";
import { entriesAtHalf, entriesAtFull, PACE_PER_SECOND } from "./log.ts";
import { roomEach } from "./sends.ts";

const SENDERS = 32;
/** Of one stream: well below what the server has on their way for one. */
const IN_FLIGHT = 32;

export const logStream: Scenario = {
  name: "log-stream",
  title: `Entries into Parley's log through the stream, ${SENDERS} senders in ${SENDERS} rooms`,
  ...entriesAtFull,
  run: (bench) => measureStream(bench, {}),
};

export const logHalfStream: Scenario = {
  name: "log-half-stream",
  title: `Entries through the stream by the clock, ${PACE_PER_SECOND}/s`,
  ...entriesAtHalf,
  run: (bench) => measureStream(bench, { perSecond: PACE_PER_SECOND }),
};

/** One server process; each sender is on the stream, and is told what is new in its room. */
async function measureStream(bench: Bench, pace: { perSecond?: number }): Promise<Outcome> {
  await using fleet = await startFleet(1);
  const own = onFleet(bench, fleet);
  const users = await prepareUsers({ origin: own.origin, count: SENDERS, progress: bench.progress });
  const lanes = await roomEach(own.origin, users);
  const meter = createMeter();
  const senders = await startStreamSenders({
    origin: own.origin,
    lanes,
    tag: uniqueTag(),
    meter,
    inFlight: IN_FLIGHT,
    ...pace,
  });
  try {
    return { runs: await measureRuns(own, meter, perSecond), notes: [] };
  } finally {
    await senders.stop();
  }
}
