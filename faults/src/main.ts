// `npm run faults -- --schedules 1000 --bus redis --seed 1`: runs schedules one after the other on real processes, prints a table
// and keeps it as JSON. The exit code is 1 where a schedule broke a promise.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { complaints, render, tableOf } from "./report.ts";
import { faults } from "./faults.ts";
import { type Outcome, runSchedule } from "./schedule.ts";
import { type BusName, buses, openWorld, type World } from "./world.ts";

const USAGE = `npm run faults -- [--schedules 20] [--bus ${buses.join("|")}] [--seed 1] [--minutes <most>] [--out <file>]`;

type Options = { schedules: number; bus: BusName; seed: number; minutes: number; out: string };

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      schedules: { type: "string", default: "20" },
      bus: { type: "string", default: "postgresql" },
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
  const [schedules, seed, minutes] = [values.schedules, values.seed, values.minutes].map(Number) as [
    number,
    number,
    number,
  ];
  if (!bus || !(schedules > 0) || !Number.isSafeInteger(seed) || !(minutes > 0)) throw new Error(USAGE);
  return { schedules, bus, seed, minutes, out: values.out || `artefacts/faults/${bus}.json` };
}

/** What can not happen on this machine is said, not passed over. */
function tellMissing(world: World): void {
  for (const fault of faults) {
    const why = fault.missing?.(world);
    if (why !== undefined) console.error(`LEFT OUT: "${fault.name}", because ${why}.`);
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  console.log(`Starting the cluster (bus: ${options.bus})`);
  const outcomes: Outcome[] = [];
  const begun_ms = performance.now();
  await using world = await openWorld(options.bus);
  tellMissing(world);
  for (let i = 0; i < options.schedules && performance.now() - begun_ms < options.minutes * 60_000; i++) {
    const outcome = await runSchedule(world, options.seed + i);
    outcomes.push(outcome);
    const took = outcome.recovery_ms === undefined ? "" : `, well after ${Math.round(outcome.recovery_ms)} ms`;
    console.log(`${outcome.seed}: ${outcome.faults.join(" + ")}: ${outcome.acknowledged} acknowledged${took}`);
    for (const line of complaints(outcome)) console.error(line);
  }
  const rows = tableOf(outcomes);
  const took_s = Math.round((performance.now() - begun_ms) / 1_000);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify({ ...options, took_s, rows, outcomes }, null, 1)}\n`);
  console.log(`\n${render(rows)}\n\n${outcomes.length} schedules in ${took_s} s; ${options.out} has them all.`);
  return outcomes.some((outcome) => complaints(outcome).length > 0) ? 1 : 0;
}

process.exitCode = await main();
