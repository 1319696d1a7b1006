import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../server/src/db/embedded.ts";
import type { Bench } from "./bench.ts";
import { freePort, launch, SERVER, stopTree, untilReady } from "./parley.ts";
import { createProbe, type Watched } from "./probe.ts";

/** Several server processes of a scenario's own, over one PostgreSQL that is theirs alone. */
export interface Fleet extends AsyncDisposable {
  /** One for each process; it stays the same through a restart. */
  origins: readonly string[];
  /** With which a process becomes one of them. */
  settings: Readonly<Record<string, string>>;
  /** Of the processes that were started first. */
  watched: Watched;
  /** The process that runs there now. */
  pid(index: number): number;
  /** SIGKILL; resolves when the process is gone. */
  kill(index: number): Promise<void>;
  /** Starts a killed process again at its address; resolves when it answers. */
  start(index: number): Promise<void>;
}

export interface FleetOptions {
  /** The server's main file; another one only in tests. */
  entry?: string;
  /** Settings beside those of every fleet, or in their place. */
  settings?: Readonly<Record<string, string>>;
}

/**
 * Identical processes with all roles and nothing in front of them, as durable as by default. Their passwords cost next to
 * nothing, so that thousands of people are registered in seconds; no scenario measures a sign-in. Disposing of the fleet stops
 * everything and removes its folder.
 * Rejects with the end of a server's output when it does not start.
 */
export async function startFleet(processes: number, options: FleetOptions = {}): Promise<Fleet> {
  const { entry = SERVER, settings = {} } = options;
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  started.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  // PostgreSQL runs as another account under root, and must get through.
  await chmod(folder, 0o711);
  const postgres = started.use(await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), onProgress() {} }));
  const env = { ...settingsFor(postgres.url), ...settings };
  const members: Member[] = [];
  for (let index = 0; index < processes; index++) {
    members.push(await openMember({ entry, folder, index, env }));
  }
  started.defer(async () => void (await Promise.all(members.map((member) => member.stop()))));
  // An interrupted run exits in the middle of its scenario.
  const atExit = () => {
    for (const member of members) member.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once("exit", atExit);
  started.defer(() => void process.off("exit", atExit));
  await Promise.all(members.map((member) => member.start()));
  const ending = started.move();
  return {
    origins: members.map(({ origin }) => origin),
    settings: env,
    watched: { serverPids: members.map((member) => member.pid()), postgresPids: [postgres.pid] },
    pid: (index) => members[index]?.pid() ?? 0,
    kill: async (index) => members[index]?.kill(),
    start: async (index) => members[index]?.start(),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** A scenario's surroundings with the fleet in place of the server that the other scenarios share, and one window. */
export function onFleet(bench: Bench, fleet: Fleet): Bench {
  return {
    ...bench,
    origin: fleet.origins[0] ?? "",
    probe: createProbe(fleet.watched),
    options: { ...bench.options, runs: 1 },
  };
}

interface Member {
  origin: string;
  pid(): number;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL, without waiting. */
  end(): void;
}

interface Place {
  entry: string;
  folder: string;
  index: number;
  env: Readonly<Record<string, string>>;
}

function settingsFor(databaseUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    PARLEY_BUS: "postgresql",
    PARLEY_METRICS_PORT: "off",
    PARLEY_PASSWORD_COST: "low",
    PARLEY_RATE_LIMITS: "off",
    PARLEY_REGISTRATION: "open",
    ROLES: "all",
  };
}

async function openMember({ entry, folder, index, env }: Place): Promise<Member> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const logFile = join(folder, `server-${index}.log`);
  const dataDir = join(folder, `data-${index}`);
  let child: ChildProcess | undefined;
  return {
    origin,
    pid: () => child?.pid ?? 0,
    async start() {
      child = launch(entry, { dataDir, logFile, port, env });
      try {
        await untilReady(origin, child);
      } catch (error) {
        const log = await readFile(logFile, "utf8").catch(() => "");
        throw new Error(`a server did not start; its last output:\n${log.slice(-2_000)}`, { cause: error });
      }
    },
    async kill() {
      if (child === undefined) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
    async stop() {
      if (child !== undefined) await stopTree(child);
    },
    end: () => void child?.kill("SIGKILL"),
  };
}
