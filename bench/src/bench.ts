import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { openFilesLimit } from "./processes.ts";
import type { User } from "./matrix.ts";
import { createMeter, type Cut, type Meter } from "./meter.ts";
import type { Options } from "./options.ts";
import type { Probe } from "./probe.ts";
import type { Goal, Run, Unit } from "./result.ts";
import { spread } from "./samples.ts";
import type { World } from "./world.ts";

/** What a scenario works with. */
export interface Bench {
  origin: string;
  options: Pick<Options, "seconds" | "warmup" | "runs" | "rooms" | "deliverySenders" | "herd" | "members" | "minutes">;
  /** The two users who share the many rooms of the memory and sync scenarios. */
  pair: readonly User[];
  /** Everyone else; they start in no room. */
  crowd: readonly User[];
  /** What the server announces beside the specification. */
  features: ReadonlySet<string>;
  probe: Probe;
  /** The many rooms, created when a scenario first asks for them. */
  world: () => Promise<World>;
  progress: (text: string) => void;
}

export interface Outcome {
  runs: Run[];
  notes: string[];
}

export interface Scenario {
  /** What `--only` takes. */
  name: string;
  title: string;
  unit: Unit;
  goals: Goal[];
  /** How many users it needs, of those who share the many rooms and of the others. */
  needs: { pair: 0 | 2; crowd: number };
  /** Whether the numbers are taken from the server's process, which must then be in sight. */
  needsProcess?: boolean;
  /** What the server must announce in its versions. */
  needsFeature?: string;
  /** Whether it starts servers of its own, which it does only where the harness starts the others too. */
  needsOwnServers?: boolean;
  /** What the machine lacks for it; undefined where it lacks nothing. */
  missing?: () => string | undefined;
  /** Runs only where `--only` names it. */
  onlyByName?: boolean;
  run(bench: Bench): Promise<Outcome>;
}

/** How a scenario times what the server does for one user of the many rooms. */
export const inManyRooms = { unit: "ms", needs: { pair: 2, crowd: 0 } } as const satisfies Partial<Scenario>;

/** Turns what was counted in a window into the scenario's number. */
export type ValueOf = (cut: Cut, seconds: number) => number;

export const perSecond: ValueOf = ({ latencies }, seconds) => latencies.length / seconds;

/** The median latency itself is the number; a window without one success has none, and the scenario fails. */
export const medianLatency: ValueOf = ({ latencies, failures }) => {
  const found = spread(latencies);
  if (found === undefined) throw new Error(`nothing succeeded in a window; failures: ${JSON.stringify(failures)}`);
  return found.p50_ms;
};

/** Measures load that is already running: the warm-up, then the windows, one right after the other. */
export async function measureRuns(bench: Bench, meter: Meter, value: ValueOf): Promise<Run[]> {
  const { warmup, runs, seconds } = bench.options;
  await sleep(warmup * 1000);
  const measured: Run[] = [];
  while (measured.length < runs) {
    bench.progress(`window ${measured.length + 1}/${runs}`);
    measured.push(await measureWindow(bench, { meter, value, until: () => sleep(seconds * 1000) }));
  }
  return measured;
}

/** Measures how long steps take that follow one another, so that no time is one of waiting for another step; `step` tells the meter. */
export async function measureSteps(bench: Bench, step: (meter: Meter) => Promise<void>): Promise<Run[]> {
  const meter = createMeter();
  const stopping = new AbortController();
  const load = (async () => {
    while (!stopping.signal.aborted) await step(meter);
  })();
  try {
    return await Promise.race([measureRuns(bench, meter, medianLatency), load.then(() => [])]);
  } finally {
    stopping.abort();
    await load.catch(() => undefined); // its error has ended the race already
  }
}

export interface Window {
  meter: Meter;
  value: ValueOf;
  /** The window ends when this resolves. */
  until: () => Promise<unknown>;
}

/** Measures from now on until the window ends. What the meter counted before is not part of it. */
export async function measureWindow({ probe }: Bench, { meter, value, until }: Window): Promise<Run> {
  const before = probe.moment();
  meter.cut();
  const from_ms = performance.now();
  await until();
  const seconds = (performance.now() - from_ms) / 1000;
  const cut = meter.cut();
  const cpu = probe.shares(before, probe.moment());
  return {
    value: value(cut, seconds),
    ...spread(cut.latencies),
    count: cut.latencies.length,
    seconds,
    failures: cut.failures,
    cpu,
  };
}

/** That this process, and the servers that it starts, may have so many connections. @throws Error with the numbers otherwise. */
export function needDescriptors(count: number): void {
  const limit = openFilesLimit();
  if (limit < count) throw new Error(`needs ${count} open files, and the limit is ${limit}: raise it with ulimit -n`);
}

/** The first `count` of the crowd. @throws RangeError when there are fewer. */
export function takeUsers(users: readonly User[], count: number): User[] {
  if (users.length < count) throw new RangeError(`needs ${count} users, has ${users.length}`);
  return users.slice(0, count);
}
