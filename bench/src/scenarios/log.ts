import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { serverEnvironment } from "../../../scripts/lib/server-process.mjs";
import { missingService } from "../../../testkit/src/services.ts";
import { type Bench, measureRuns, measureWindow, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { startFleet } from "../fleet.ts";
import { createMeter } from "../meter.ts";
import { createProbe } from "../probe.ts";
import type { Drained } from "../queue-load.ts";
import { endOf } from "../fan-out.ts";

const GOAL = [{ of: "value" as const, atLeast: 15_000 }];

export const logDirect: Scenario = {
  name: "log-direct",
  title: "Entries into Parley's log, appended inside of the server without HTTP",
  unit: "entries/s",
  goals: GOAL,
  needs: { pair: 0, crowd: 0 },
  needsOwnServers: true,
  run: measureDirect,
};

const WORKERS = 3;
const MESSAGES = 20_000;

export const logQueue: Scenario = {
  name: "log-queue",
  title: `Entries into Parley's log out of a backlog in RabbitMQ, by ${WORKERS} workers`,
  unit: "entries/s",
  goals: GOAL,
  needs: { pair: 0, crowd: 0 },
  needsOwnServers: true,
  missing: () => missingService("rabbitmq") || undefined,
  run: measureQueue,
};

const programFile = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

async function measureDirect(bench: Bench): Promise<Outcome> {
  await using fleet = await startFleet(0);
  const dataDir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const child = spawn(process.execPath, ["--max-semi-space-size=16", programFile("log-load.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...serverEnvironment,
      ...fleet.settings,
      PATH: process.env["PATH"],
      PARLEY_PORT: "0",
      PARLEY_DATA_DIR: dataDir,
    },
  });
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
async function measureQueue(bench: Bench): Promise<Outcome> {
  let rate = 0;
  const args = ["--distance", "0", "--runs", "1", "--workers", `${WORKERS}`, "--messages", `${MESSAGES}`, "--json"];
  const until = async (): Promise<void> => {
    const child = spawn(process.execPath, [programFile("queue.ts"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const text = (await Promise.all([child.stdout.toArray(), once(child, "exit")]))[0].join("");
    if (child.exitCode !== 0) throw new Error(`the measurement of the queue ended with ${child.exitCode}`);
    rate = (JSON.parse(text) as Drained[][])[0]?.[0]?.rate ?? 0;
  };
  const run = await measureWindow(bench, { meter: createMeter(), value: () => rate, until });
  return { runs: [{ ...run, count: MESSAGES }], notes: ["CPU is that of the set-up too"] };
}
