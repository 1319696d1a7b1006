/**
 * The running PostgreSQL. Its states: launching → ready → ended, and from ended back to launching for as long as nobody has
 * called `stop`, so that a database that is killed comes back by itself, under the same address.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { chownSync, closeSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { StartError } from "../../errors.ts";
import { isRoot, runAs } from "./account.ts";
import { atEndOfProcess } from "./at-end.ts";
import { environment, isReady, stopLeftover, stopPostmaster, type Cluster } from "./cluster.ts";
import { signalTo } from "./processes.ts";

/** A log that is larger than this at the start of the database is put aside as postgres.log.old. */
const logMax_bytes = 16 * 1024 * 1024;
/** How long the processes of a killed PostgreSQL may take to notice and let go of its shared memory. */
const remainsPatience_ms = 30_000;
const progressEvery_ms = 5_000;

export interface Run {
  cluster: Cluster;
  /** Arguments after the data directory. */
  args: readonly string[];
  onProgress: (text: string) => void;
  /** Calls the start off. Without effect afterwards. */
  signal?: AbortSignal | undefined;
}

export interface Postmaster {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts PostgreSQL, waits until it takes connections, and keeps it running until `stop`. */
export async function runPostmaster(run: Run): Promise<Postmaster> {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const callOff = atEndOfProcess(() => child?.pid && signalTo(child.pid, "SIGINT"));

  const launch = async (signal: AbortSignal | undefined) => {
    child = await launchUntilReady(run, signal, (launched) => (child = launched));
    child.once("exit", () => {
      if (!stopping.signal.aborted) launching = again();
    });
    child.unref();
  };
  const again = () => {
    run.onProgress("The database ended though nobody stopped it; starting it again");
    return launch(stopping.signal).catch((error: Error) => run.onProgress(error.message));
  };

  let launching: Promise<void> = launch(run.signal);
  try {
    await launching;
  } catch (error) {
    callOff();
    throw error;
  }
  return {
    get pid() {
      return child?.pid ?? 0;
    },
    async stop() {
      stopping.abort(new Error("the database is being stopped"));
      await launching;
      child?.ref();
      if (child?.pid) await stopPostmaster(child.pid);
      callOff();
    },
  };
}

async function launchUntilReady(
  run: Run,
  signal: AbortSignal | undefined,
  onLaunch: (child: ChildProcess) => void,
): Promise<ChildProcess> {
  const deadline = performance.now() + remainsPatience_ms;
  for (;;) {
    signal?.throwIfAborted();
    await stopLeftover(run.cluster, run.onProgress);
    const log = openLog(run.cluster);
    const child = spawnPostmaster(run, log.descriptor);
    onLaunch(child);
    if (await becomesReady(run, child, signal)) return child;
    const said = log.fatal();
    const hasRemains = said.includes("pre-existing shared memory block");
    if (!hasRemains || performance.now() > deadline) {
      throw new StartError(`The database did not start: ${said || "see its log"} (${log.path}).`);
    }
    await wait(100);
  }
}

/** Its own process group: Ctrl-C in a terminal must reach Parley only, which then ends the database last. */
export function spawnPostmaster({ cluster, args }: Pick<Run, "cluster" | "args">, log: number): ChildProcess {
  const { account, binaries, pgdata } = cluster;
  try {
    return spawn(binaries.postgres, ["-D", pgdata, ...args], {
      ...runAs(account),
      cwd: pgdata,
      env: environment,
      detached: true,
      stdio: ["ignore", log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** True when the database takes connections, false when it has ended before. Recovery may take as long as it needs. */
async function becomesReady({ cluster, onProgress }: Run, child: ChildProcess, signal?: AbortSignal): Promise<boolean> {
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));
  const started = performance.now();
  let progressAt = started + progressEvery_ms;
  while (child.exitCode === null && child.signalCode === null) {
    if (failure)
      throw new StartError(`PostgreSQL cannot be run here: ${failure.message}. Set DATABASE_URL to another.`);
    if (signal?.aborted) {
      if (child.pid) await stopPostmaster(child.pid);
      signal.throwIfAborted();
    }
    if (child.pid && isReady(cluster, child.pid)) return true;
    if (performance.now() > progressAt) {
      onProgress(`The database is recovering (${Math.round((performance.now() - started) / 1_000)} s)`);
      progressAt += progressEvery_ms;
    }
    await wait(10);
  }
  return false;
}

interface Log {
  path: string;
  descriptor: number;
  /** Why PostgreSQL ended, in its own words (FATAL), since the log was opened; empty when it did not say. */
  fatal: () => string;
}

function openLog({ directory, account }: Cluster): Log {
  const path = join(directory, "postgres.log");
  const before_bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const isFull = before_bytes > logMax_bytes;
  if (isFull) renameSync(path, `${path}.old`);
  const descriptor = openSync(path, "a", 0o600);
  if (isRoot()) chownSync(path, account.uid, account.gid);
  const fatal = () => {
    const said = readFileSync(path)
      .subarray(isFull ? 0 : before_bytes)
      .toString("utf8");
    return /.*FATAL: +(.*)/.exec(said)?.[1] ?? "";
  };
  return { path, descriptor, fatal };
}
