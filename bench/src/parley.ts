import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { serverEnvironment, serverFlags } from "../../scripts/lib/server-process.mjs";
import { connect, exchange, failureReason } from "./http.ts";
import { findPostgres, type Watched } from "./probe.ts";
import { listProcesses, type ProcessStat, readProcess, withDescendants } from "./processes.ts";

export const SERVER = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));

/** The first start creates the database; a minute is far more than a slow disk needs. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 50;

export interface Parley extends AsyncDisposable {
  origin: string;
  watched: Watched;
}

/**
 * Starts Parley as a process of its own, in a new temporary folder, without rate limits and with
 * open registration, and waits until it answers. Disposing of it stops the server and its
 * PostgreSQL and removes the folder.
 * @param entry The server's main file; another one only in tests.
 * Rejects with the end of the server's output when it does not start.
 */
export async function startParley(entry: string = SERVER): Promise<Parley> {
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  // PostgreSQL refuses to run as root, so under root it runs as another account that must get through.
  await chmod(folder, 0o711);
  const logFile = join(folder, "server.log");
  const port = await freePort();
  const child = launch(entry, { dataDir: join(folder, "data"), logFile, port });
  const origin = `http://127.0.0.1:${port}`;
  const dispose = () => stop(child, folder);
  try {
    await untilReady(origin, child);
  } catch (error) {
    const log = await readFile(logFile, "utf8").catch(() => "");
    await dispose();
    throw new Error(`Parley did not start; its last output:\n${log.slice(-2_000)}`, { cause: error });
  }
  const serverPids = [child.pid ?? 0];
  // A PostgreSQL that was given to the server does not run in our folder.
  const postgresPids = findPostgres(serverPids, process.env["DATABASE_URL"] === undefined ? folder : undefined);
  return { origin, watched: { serverPids, postgresPids }, [Symbol.asyncDispose]: dispose };
}

export interface Launch {
  dataDir: string;
  logFile: string;
  port: number;
  /** Settings on top of those of this process's environment. */
  env?: Readonly<Record<string, string>>;
}

/** Starts a server process without limits. Its output goes to a file: reading it here would be work for the load client. */
export function launch(entry: string, { dataDir, logFile, port, env }: Launch): ChildProcess {
  const log = openSync(logFile, "a");
  const child = spawn(process.execPath, [...serverFlags, entry], {
    stdio: ["ignore", log, log],
    env: {
      ...serverEnvironment,
      ...process.env,
      PARLEY_PORT: String(port),
      PARLEY_HOST: "127.0.0.1",
      PARLEY_DATA_DIR: dataDir,
      PARLEY_RATE_LIMITS: "off",
      PARLEY_REGISTRATION: "open",
      ...env,
    },
  });
  closeSync(log);
  return child;
}

/** A port that the system has just found free. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Waits until the server answers. Rejects when it has ended, or takes too long. */
export async function untilReady(origin: string, child: ChildProcess): Promise<void> {
  const connection = connect(origin);
  const limit_ms = Date.now() + START_LIMIT_MS;
  const request = { method: "GET" as const, path: "/_matrix/client/versions" };
  try {
    for (let last = "none"; ; await sleep(POLL_MS)) {
      if (hasEnded(child)) throw new Error(`it ended with code ${child.exitCode ?? child.signalCode}`);
      if (Date.now() > limit_ms) throw new Error(`not ready within ${START_LIMIT_MS} ms; last answer: ${last}`);
      const answer = await exchange(connection, request).catch(failureReason);
      if (typeof answer !== "string" && answer.status === 200) return;
      last = typeof answer === "string" ? answer : `${answer.status} to ${request.path}`;
    }
  } finally {
    await connection.destroy();
  }
}

/** Asks the server to end and then makes sure: of its whole tree nothing is left, PostgreSQL included. */
async function stop(child: ChildProcess, folder: string): Promise<void> {
  const postgres = findPostgres([child.pid ?? 0], folder);
  await stopTree(child, postgres);
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Asks a process to end, and kills what is left of it, of its children and of `others` after a while. */
export async function stopTree(child: ChildProcess, others: readonly number[] = []): Promise<void> {
  const tree = withDescendants(listProcesses(), [child.pid ?? 0, ...others]);
  if (!hasEnded(child)) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  }
  for (const started of tree) killLeftOver(started);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function killLeftOver({ pid, startedAt_ticks }: ProcessStat): void {
  if (readProcess(pid)?.startedAt_ticks !== startedAt_ticks) return; // it has ended, whoever has its number now
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended just now.
  }
}
