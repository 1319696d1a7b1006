import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { serverEnvironment, serverFlags } from "../../../scripts/lib/server-process.mjs";
import { missingService, startService } from "../../../testkit/src/services.ts";
import { type Bench, measureRuns, measureWindow, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { startFleet } from "../fleet.ts";
import { createMeter } from "../meter.ts";
import { createProbe } from "../probe.ts";
import type { Drained } from "../queue-load.ts";
import { endOf } from "../fan-out.ts";

/** What a scenario of entries has to reach, and needs. */
export const entriesAtFull: Pick<Scenario, "unit" | "goals" | "needs" | "needsOwnServers"> = {
  unit: "entries/s",
  goals: [{ of: "value", atLeast: 15_000 }],
  needs: { pair: 0, crowd: 0 },
  needsOwnServers: true,
};

/** Half of the rate that is the goal. */
export const PACE_PER_SECOND = 7_500;

/** At that pace nobody may wait for long. */
export const entriesAtHalf: typeof entriesAtFull = {
  ...entriesAtFull,
  goals: [
    { of: "value", atLeast: PACE_PER_SECOND * 0.95 },
    { of: "p99_ms", below: 50 },
  ],
};

export const logDirect: Scenario = {
  name: "log-direct",
  title: "Entries into Parley's log, appended inside of the server without HTTP",
  ...entriesAtFull,
  run: (bench) => measureInside(bench, {}),
};

export const logHalfQueue: Scenario = {
  name: "log-half-queue",
  title: `Entries through RabbitMQ by the clock, ${PACE_PER_SECOND}/s, sent and worked off inside of one server`,
  ...entriesAtHalf,
  missing: () => missingService("rabbitmq") || undefined,
  async run(bench) {
    await using broker = await startService("rabbitmq");
    const settings = { PARLEY_QUEUE: "rabbitmq", RABBITMQ_URL: broker.url };
    return measureInside(bench, { settings, perSecond: PACE_PER_SECOND });
  },
};

const WORKERS = 3;
const MESSAGES = 20_000;

export const logQueue: Scenario = {
  name: "log-queue",
  title: `Entries into Parley's log out of a backlog in RabbitMQ, by ${WORKERS} workers`,
  ...entriesAtFull,
  missing: () => missingService("rabbitmq") || undefined,
  run: (bench) => measureQueue(bench, { workers: WORKERS, messages: MESSAGES, distance_ms: 0 }),
};

/** How far the workers' database is. One worker has two appends of 200 entries on their way, so it can not do more than 2,000/s. */
const DISTANCE_MS = 200;

/** The same backlog with one worker and with three, where a worker waits for its database. */
export const workers: readonly Scenario[] = [1, 3].map((count) => ({
  name: `workers-${count}`,
  title: `Entries out of a backlog in RabbitMQ by ${count} worker${count === 1 ? "" : "s"}, PostgreSQL ${DISTANCE_MS} ms away`,
  unit: "entries/s",
  goals: count === 1 ? [] : [{ of: "value", atLeast: 3_000 }],
  needs: { pair: 0, crowd: 0 },
  needsOwnServers: true,
  missing: () => missingService("rabbitmq") || undefined,
  run: (bench) => measureQueue(bench, { workers: count, messages: MESSAGES, distance_ms: DISTANCE_MS }),
}));

const programFile = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

interface Inside {
  settings?: Readonly<Record<string, string>>;
  /** Sends by the clock; without it writers append without pause. */
  perSecond?: number;
}

/** The load of log-load.ts, in a server process of its own. */
async function measureInside(bench: Bench, { settings, perSecond: pace }: Inside): Promise<Outcome> {
  await using fleet = await startFleet(0);
  const dataDir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const child = spawn(
    process.execPath,
    [...serverFlags, programFile("log-load.ts"), ...(pace === undefined ? [] : ["--send", `${pace}`])],
    {
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        ...serverEnvironment,
        ...fleet.settings,
        ...settings,
        PATH: process.env["PATH"],
        PARLEY_PORT: "0",
        PARLEY_DATA_DIR: dataDir,
      },
    },
  );
  try {
    const lines = createInterface(child.stdout);
    await Promise.race([once(lines, "line"), failAtExit(child)]);
    const meter = createMeter();
    lines.on("line", (line) => {
      for (const time_ms of JSON.parse(line) as number[]) meter.hit(time_ms);
    });
    child.stdin.write("begin\n");
    const probe = createProbe({ serverPids: [child.pid ?? 0], postgresPids: fleet.watched.postgresPids });
    const own = { ...bench, probe, options: { ...bench.options, runs: 1 } };
    return { runs: await Promise.race([measureRuns(own, meter, perSecond), failAtExit(child)]), notes: [] };
  } finally {
    await endOf(child);
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function failAtExit(child: ReturnType<typeof spawn>): Promise<never> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  throw new Error(`the process that writes ended with ${code ?? signal}`);
}

/** By the command that docs/operations/queues.md has for more of it; each backlog is a window of its own. */
async function measureQueue(
  bench: Bench,
  { workers: count, messages, distance_ms }: { workers: number; messages: number; distance_ms: number },
): Promise<Outcome> {
  let drained: Drained | undefined;
  const numbers = { distance: distance_ms, runs: 1, workers: count, messages };
  const args = [...Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, `${value}`]), "--json"];
  const until = async (): Promise<void> => {
    const child = spawn(process.execPath, [programFile("queue.ts"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const text = (await Promise.all([child.stdout.toArray(), once(child, "exit")]))[0].join("");
    if (child.exitCode !== 0) throw new Error(`the measurement of the queue ended with ${child.exitCode}`);
    drained = (JSON.parse(text) as Drained[][])[0]?.[0];
  };
  const run = await measureWindow(bench, { meter: createMeter(), value: () => drained?.rate ?? 0, until });
  const { workers: inWorkers = 0, broker = 0, database = 0 } = drained?.cpu_us ?? {};
  const each = [inWorkers, broker, database].map((us) => Math.round(us)).join(", ");
  const note = `CPU of one entry in workers, broker and PostgreSQL: ${each} µs. CPU in the row is that of the set-up too`;
  return { runs: [{ ...run, count: messages }], notes: [note] };
}
