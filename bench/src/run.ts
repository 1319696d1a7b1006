import { cpus, release, totalmem, type } from "node:os";
import type { Bench, Outcome, Scenario } from "./bench.ts";
import type { Options } from "./options.ts";
import { createProbe, type Memory, type Probe } from "./probe.ts";
import { judge, type Result, type Row } from "./result.ts";
import { medianBy } from "./samples.ts";
import type { Target } from "./target.ts";
import { prepareUsers } from "./users.ts";
import { createWorld, type World } from "./world.ts";

export interface Plan {
  scenarios: readonly Scenario[];
  options: Options;
  target: Target;
  /** Shown while working; overwritten by the next text. */
  progress: (text: string) => void;
}

/** Runs the scenarios one after the other. A scenario that breaks down becomes a row that says so. */
export async function runAll({ scenarios, options, target, progress }: Plan): Promise<Result> {
  const probe = createProbe(target.watched);
  const idle = probe.memory();
  const bench = await prepare({ scenarios, options, target, progress }, probe);
  const before = probe.memory();
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    const own = { ...bench, progress: (text: string) => progress(`${scenario.name}: ${text}`) };
    rows.push(await runOne(scenario, own, target));
  }
  const after = probe.memory();
  const { seconds, warmup, runs, rooms, deliverySenders } = options;
  return {
    ...(options.label !== undefined && { label: options.label }),
    target: { name: target.name, url: target.origin },
    date: new Date().toISOString(),
    machine: describeMachine(),
    node: process.version,
    ...(target.postgres !== undefined && { postgres: target.postgres }),
    ...(idle && before && after && { memory_MB: inMegabytes({ idle, before, after }) }),
    settings: { seconds, warmup, runs, rooms, deliverySenders },
    rows,
  };
}

/** Registers all users up front, since that is slow on purpose; scenarios share them. */
async function prepare({ scenarios, options, target, progress }: Plan, probe: Probe): Promise<Bench> {
  const pairSize = Math.max(0, ...scenarios.map(({ needs }) => needs.pair));
  const crowdSize = Math.max(0, ...scenarios.map(({ needs }) => needs.crowd));
  const users = await prepareUsers({
    origin: target.origin,
    count: pairSize + crowdSize,
    registrationToken: options.registrationToken,
    file: options.users,
    progress,
  });
  const pair = users.slice(0, pairSize);
  let world: Promise<World> | undefined;
  return {
    origin: target.origin,
    options,
    pair,
    crowd: users.slice(pairSize),
    features: target.features,
    probe,
    world: () => (world ??= createWorld({ origin: target.origin, pair, rooms: options.rooms, progress })),
    progress,
  };
}

async function runOne(scenario: Scenario, bench: Bench, target: Target): Promise<Row> {
  const { name, title, unit, goals } = scenario;
  const row = { name, title, unit, goals, verdict: "not measured" as const, runs: [] };
  const obstacle = whyNot(scenario, bench, target);
  if (obstacle !== undefined) return { ...row, notes: [obstacle] };
  bench.progress("set-up");
  try {
    return { ...row, ...conclude(scenario, await scenario.run(bench)) };
  } catch (error) {
    return { ...row, broken: true, notes: [`broke down: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** Why a scenario can not be measured on this target, if it can not. */
function whyNot(scenario: Scenario, bench: Bench, target: Target): string | undefined {
  const { needs, needsProcess, needsFeature, needsOwnServers } = scenario;
  if (needsOwnServers === true && !target.isOwn) return "it starts servers of its own, and --target was given";
  const lacking = scenario.missing?.();
  if (lacking !== undefined) return lacking;
  if (bench.pair.length < needs.pair || bench.crowd.length < needs.crowd) {
    return `needs ${needs.pair} + ${needs.crowd} users, has ${bench.pair.length} + ${bench.crowd.length}`;
  }
  if (needsFeature !== undefined && !target.features.has(needsFeature)) return `the server has no ${needsFeature}`;
  if (needsProcess === true && target.watched.serverPids.length === 0) {
    return "the server's process is not in sight; --server-pid names it";
  }
  return undefined;
}

function conclude({ goals }: Scenario, { runs, notes }: Outcome): Pick<Row, "runs" | "median" | "verdict" | "notes"> {
  const median = medianBy(runs, ({ value }) => value);
  return { runs, median, verdict: judge(goals, median), notes };
}

function inMegabytes(moments: { idle: Memory; before: Memory; after: Memory }): NonNullable<Result["memory_MB"]> {
  const { idle, before, after } = moments;
  return { idle: idle.server_bytes / 1e6, start: before.server_bytes / 1e6, end: after.server_bytes / 1e6 };
}

function describeMachine(): Result["machine"] {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memory_GiB: totalmem() / 2 ** 30,
    system: `${type()} ${release()}`,
  };
}
