// `npm run faults -- --schedules 1000 --bus redis --seed 1`: runs schedules one after the other on real processes, prints a table
// and keeps it as JSON. The exit code is 1 where a schedule broke a promise.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { complaints, render, tableOf } from "./report.ts";
import { faults } from "./faults.ts";
import { type Outcome, runSchedule } from "./schedule.ts";
import { type BusName, buses, openWorld, optionsOf, type QueueName, queues, type World } from "./world.ts";

const USAGE = `npm run faults -- [--schedules 20] [--bus ${buses.join("|")}] [--queue ${queues.join("|")}] [--clocks right|wrong] [--seed 1] [--minutes <most>] [--out <file>]`;
/** So many run on one cluster; then a new one begins, with what is now the seed's choice. */
const SCHEDULES_PER_WORLD = 25;

type Options = {
  schedules: number;
  bus: BusName;
  /** Undefined: the seed decides. */
  queue: QueueName | undefined;
  clocksOff: boolean | undefined;
  seed: number;
  minutes: number;
  out: string;
};

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      schedules: { type: "string", default: "20" },
      bus: { type: "string", default: "postgresql" },
      queue: { type: "string", default: "" },
      clocks: { type: "string", default: "" },
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "10000" },
      out: { type: "string", default: "" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const bus = buses.find((each) => each === values.bus);
  const queue = queues.find((each) => each === values.queue);
  const clocksOff = values.clocks === "" ? undefined : values.clocks === "wrong";
  const isKnown = (values.queue === "" || queue) && ["", "right", "wrong"].includes(values.clocks);
  const [schedules, seed, minutes] = [values.schedules, values.seed, values.minutes].map(Number) as [
    number,
    number,
    number,
  ];
  if (!bus || !isKnown || !(schedules > 0) || !Number.isSafeInteger(seed) || !(minutes > 0)) throw new Error(USAGE);
  return { schedules, bus, queue, clocksOff, seed, minutes, out: values.out || `artefacts/faults/${bus}.json` };
}

/** What can not happen on this machine is said, not passed over. */
function tellMissing(world: World): void {
  for (const fault of faults) {
    const why = fault.missing?.(world);
    if (why !== undefined) console.error(`LEFT OUT: "${fault.name}", because ${why}.`);
  }
}

/** The world of the schedules from this seed on. */
async function openNext({ bus, queue, clocksOff }: Options, seed: number): Promise<World> {
  const chosen = optionsOf(seed, bus);
  const options = { bus, queue: queue ?? chosen.queue, clocksOff: clocksOff ?? chosen.clocksOff };
  const clocks = options.clocksOff ? "wrong" : "right";
  console.log(`Starting a cluster (bus: ${bus}, queue: ${options.queue}, clocks: ${clocks})`);
  const world = await openWorld(options);
  tellMissing(world);
  return world;
}

async function runAll(options: Options, until_ms: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < options.schedules && performance.now() < until_ms) {
    await using world = await openNext(options, options.seed + outcomes.length);
    const most = Math.min(options.schedules, outcomes.length + SCHEDULES_PER_WORLD);
    while (outcomes.length < most && performance.now() < until_ms) {
      const outcome = await runSchedule(world, options.seed + outcomes.length);
      outcomes.push(outcome);
      const took = outcome.recovery_ms === undefined ? "" : `, well after ${Math.round(outcome.recovery_ms)} ms`;
      console.log(`${outcome.seed}: ${outcome.faults.join(" + ")}: ${outcome.acknowledged} acknowledged${took}`);
      for (const line of complaints(outcome)) console.error(line);
      // What is left of a cluster in which somebody was not served again says nothing about the next schedule.
      if (outcome.stuck !== undefined) break;
    }
  }
  return outcomes;
}

async function main(): Promise<number> {
  const options = readOptions();
  const begun_ms = performance.now();
  const outcomes = await runAll(options, begun_ms + options.minutes * 60_000);
  const rows = tableOf(outcomes);
  const took_s = Math.round((performance.now() - begun_ms) / 1_000);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify({ ...options, took_s, rows, outcomes }, null, 1)}\n`);
  console.log(`\n${render(rows)}\n\n${outcomes.length} schedules in ${took_s} s; ${options.out} has them all.`);
  return outcomes.some((outcome) => complaints(outcome).length > 0) ? 1 : 0;
}

process.exitCode = await main();
