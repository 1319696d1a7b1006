// `npm run faults -- --schedules 1000 --bus redis --seed 1`: runs schedules on real processes, one after the other in each of so many
// clusters as `--parallel` says, prints a table and keeps it as JSON. The exit code is 1 where a schedule broke a promise.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { complaints, render, type Row, tableOf } from "./report.ts";
import { faults } from "./faults.ts";
import { type Outcome, runSchedule } from "./schedule.ts";
import { type BusName, buses, openWorld, optionsOf, type QueueName, queues, type World } from "./world.ts";

const USAGE = `npm run faults -- [--schedules 20] [--bus ${buses.join("|")}] [--queue ${queues.join("|")}] [--clocks right|wrong] [--seed 1] [--parallel 1] [--minutes <most>] [--out <file>]`;
/** So many run on one cluster; then a new one begins, with what is now the seed's choice. */
const SCHEDULES_PER_WORLD = 25;

type Options = {
  schedules: number;
  bus: BusName;
  /** Undefined: the seed decides. */
  queue: QueueName | undefined;
  clocksOff: boolean | undefined;
  seed: number;
  /** So many clusters at once. */
  parallel: number;
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
      parallel: { type: "string", default: "1" },
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
  const [schedules, seed, parallel, minutes] = [values.schedules, values.seed, values.parallel, values.minutes].map(
    Number,
  ) as [number, number, number, number];
  const isWhole = [schedules, seed, parallel].every(Number.isSafeInteger);
  if (!bus || !isKnown || !isWhole || schedules < 1 || parallel < 1 || !(minutes > 0)) throw new Error(USAGE);
  const out = values.out || `artefacts/faults/${bus}.json`;
  return { schedules, bus, queue, clocksOff, seed, parallel, minutes, out };
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

/** What a run has come to so far. */
type Run = { options: Options; begun_ms: number; outcomes: Outcome[] };

const took_s = ({ begun_ms }: Run) => Math.round((performance.now() - begun_ms) / 1_000);
const isOver = ({ options, begun_ms }: Run) => performance.now() - begun_ms >= options.minutes * 60_000;

/** Runs schedules on one new cluster, from this seed to before the other; gives where it ended. */
async function runCluster(run: Run, seed: number, end: number): Promise<number> {
  await using world = await openNext(run.options, seed);
  for (let at = seed; at < end && !isOver(run);) {
    const outcome = await runSchedule(world, at++);
    run.outcomes.push(outcome);
    const took = outcome.recovery_ms === undefined ? "" : `, well after ${Math.round(outcome.recovery_ms)} ms`;
    console.log(`${outcome.seed}: ${outcome.faults.join(" + ")}: ${outcome.acknowledged} acknowledged${took}`);
    for (const line of complaints(outcome)) console.error(line);
    // What is left of a cluster in which somebody was not served again says nothing about the next schedule.
    if (outcome.stuck !== undefined) return at;
  }
  return end;
}

/** The clusters take the next seeds by turns. What has run is kept after each, so that a run which is broken off says something too. */
async function runAll(run: Run): Promise<void> {
  const { seed, schedules, parallel } = run.options;
  const share = Math.min(SCHEDULES_PER_WORLD, Math.ceil(schedules / parallel));
  let next = seed;
  const work = async () => {
    while (next < seed + schedules && !isOver(run)) {
      const [first, end] = [next, Math.min(next + share, seed + schedules)];
      next = end;
      for (let at = first; at < end && !isOver(run);) {
        at = await runCluster(run, at, end);
        keep(run);
      }
    }
  };
  // Where a cluster can not be made the others go on first.
  const ended = await Promise.allSettled(Array.from({ length: parallel }, work));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

function keep(run: Run): Row[] {
  const { options, outcomes } = run;
  outcomes.sort((a, b) => a.seed - b.seed);
  const rows = tableOf(outcomes);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify({ ...options, took_s: took_s(run), rows, outcomes }, null, 1)}\n`);
  return rows;
}

async function main(): Promise<number> {
  const run: Run = { options: readOptions(), begun_ms: performance.now(), outcomes: [] };
  await runAll(run);
  const { outcomes, options } = run;
  console.log(
    `\n${render(keep(run))}\n\n${outcomes.length} schedules in ${took_s(run)} s; ${options.out} has them all.`,
  );
  return outcomes.some((outcome) => complaints(outcome).length > 0) ? 1 : 0;
}

process.exitCode = await main();
