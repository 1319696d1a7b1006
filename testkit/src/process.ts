// The real command, `node server/src/main.ts`, in a process of its own: for what only a whole process can show.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { atEndOfProcess } from "../../server/src/db/embedded/at-end.ts";
import { forgetClock } from "./services.ts";
import { soon } from "./wait.ts";

/** A first start makes a database, on a machine that may run other tests. */
const START_DEADLINE_MS = 60_000;
const END_DEADLINE_MS = 20_000;
const main = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));

/** Types are stripped once for all the processes of all tests: starting one then costs less than half. */
const compiled = join(tmpdir(), "parley-compiled");

/** Settings by name, as in the environment. */
export type Env = Record<string, string>;

/** How a process ended, and everything that it wrote. */
export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

export type ParleyProcess = AsyncDisposable & {
  pid: number;
  /** What it printed as its address. */
  url: string;
  /** The link of the first administrator, where it printed one. */
  link: string | undefined;
  dataDir: string;
  /** What it has written to standard error so far: the log. */
  stderr(): string;
  /** The process id of its database at this moment. */
  databasePid(): number;
  /** Resolves when the process is gone, whatever ended it. */
  ended: Promise<Ended>;
  /** Sends the signal, and gives how the process ended. */
  end(signal: NodeJS.Signals): Promise<Ended>;
};

/** A directory that goes when it is disposed of; the database's account can enter it. */
export function temporaryDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "parley-process-"));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * Starts Parley with its data in `dataDir`, on a free port, and waits until it is ready. Rejects with everything that it
 * wrote where it ends before that. Disposing of it asks it to stop, and kills it where it does not.
 */
export async function startProcess(dataDir: string, env: Env = {}): Promise<ParleyProcess> {
  const defaults = {
    PARLEY_PORT: "0",
    PARLEY_METRICS_PORT: "off",
    PARLEY_RATE_LIMITS: "off",
    PARLEY_PASSWORD_COST: "low",
  };
  const run = launch({ ...defaults, PARLEY_DATA_DIR: dataDir, ...env });
  const printed = await run.prints(/Ctrl-C stops it/);
  const end = async (signal: NodeJS.Signals) => {
    run.child.kill(signal);
    return soon(`process ${run.child.pid} ends by ${signal}`, run.ended, run.stderr);
  };
  return {
    pid: run.child.pid as number,
    url: /Parley is ready at (\S+)/.exec(printed)?.[1] as string,
    link: /^\s+(http\S+token=\S+)$/m.exec(printed)?.[1],
    dataDir,
    stderr: run.stderr,
    ended: run.ended,
    databasePid: () => Number.parseInt(readFileSync(join(dataDir, "postgres/pgdata/postmaster.pid"), "utf8"), 10),
    end,
    async [Symbol.asyncDispose]() {
      const killing = setTimeout(() => run.child.kill("SIGKILL"), END_DEADLINE_MS);
      await end("SIGTERM");
      clearTimeout(killing);
    },
  };
}

/** Starts Parley where it is expected to give up, and gives how it ended. Rejects where it starts all the same. */
export async function failToStart(env: Env): Promise<Ended> {
  const run = launch({ PARLEY_PORT: "0", PARLEY_METRICS_PORT: "off", ...env });
  const started = run.prints(/Parley is ready at/).then(
    () => true,
    () => false,
  );
  if (!(await started)) return run.ended;
  run.child.kill("SIGTERM");
  await run.ended;
  throw new Error("Parley started, and was expected to give up");
}

type Run = {
  child: ChildProcessByStdio<null, Readable, Readable>;
  stderr(): string;
  /** Everything on standard output, as soon as it has this in it. */
  prints(pattern: RegExp): Promise<string>;
  ended: Promise<Ended>;
};

function launch(env: Env): Run {
  // None of the settings of the process that runs the tests.
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [main], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, HOME, NODE_COMPILE_CACHE: compiled, ...env },
  });
  // A harness that is ended leaves nothing behind.
  child.once(
    "exit",
    atEndOfProcess(() => void child.kill("SIGKILL")),
  );
  child.once("exit", () => forgetClock(child.pid as number));
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const ended = once(child, "close").then(([code, signal]): Ended => ({ code, signal, stdout, stderr }));
  const prints = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const give = () => pattern.test(stdout) && (clearTimeout(timer), resolve(stdout));
      const fail = (why: string) => reject(new Error(`Parley ${why}:\n${stdout}\n${stderr}`));
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(`was not ready after ${START_DEADLINE_MS} ms`);
      }, START_DEADLINE_MS);
      child.stdout.on("data", give);
      void ended.then(({ code }) => (clearTimeout(timer), fail(`ended with ${code}`)));
      give();
    });
  return { child, stderr: () => stderr, prints, ended };
}
