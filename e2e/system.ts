/** The real system for a browser test: the server's own command, with an empty data directory, serving the built web app. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../server/src/main.ts", import.meta.url));
const WEB = fileURLToPath(new URL("../web/dist/index.html", import.meta.url));

/** A first start initialises PostgreSQL, which takes some ten seconds on a busy machine. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;

export interface System extends AsyncDisposable {
  /** Where the web app and the Client-Server API are, such as http://localhost:40123. */
  url: string;
  /** The one-time link that makes the first administrator, as the server printed it. */
  administratorLink: string;
}

/**
 * Starts the server and waits until it says where it is. `settings` are environment variables, such as
 * PARLEY_REGISTRATION.
 *
 * @throws when the web app is not built, or when the server ends before it is ready, with what it printed.
 */
export async function startSystem(settings: Record<string, string> = {}): Promise<System> {
  if (!existsSync(WEB)) throw new Error("web/dist is missing: build the web app with `npm run build -w @parley/web`");
  const dataDir = await mkdtemp(join(tmpdir(), "parley-e2e-"));
  // Run by root, PostgreSQL is another account, which must get through.
  await chmod(dataDir, 0o711);
  const server = spawn(process.execPath, [MAIN], {
    env: { ...cleanEnvironment(), PARLEY_PORT: "0", PARLEY_METRICS_PORT: "off", PARLEY_DATA_DIR: dataDir, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    const printed = await readUntilReady(server);
    return {
      url: match(printed, /ready at (\S+)/),
      administratorLink: match(printed, /(http\S+\/register\?token=\S+)/),
      [Symbol.asyncDispose]: () => stop(server, dataDir),
    };
  } catch (error) {
    await stop(server, dataDir);
    throw error;
  }
}

/** Settings of the shell that runs the tests must not reach the server under test. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = ([name]: [string, unknown]) => name.startsWith("PARLEY_") || name === "DATABASE_URL" || name === "ROLES";
  return Object.fromEntries(Object.entries(process.env).filter((entry) => !ours(entry)));
}

function readUntilReady(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const fail = (why: string) => reject(new Error(`the server ${why}:\n${printed}`));
    const timer = setTimeout(() => fail("was not ready in time"), START_TIMEOUT_MS);
    const read = (chunk: Buffer) => {
      printed += chunk.toString("utf8");
      if (!printed.includes("Ctrl-C stops it")) return;
      clearTimeout(timer);
      resolve(printed);
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", read);
    server.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}

async function stop(server: ChildProcess, dataDir: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
    server.kill("SIGTERM");
    const timer = setTimeout(() => server.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

function match(printed: string, pattern: RegExp): string {
  const found = pattern.exec(printed)?.[1];
  if (found === undefined) throw new Error(`the server did not print ${pattern}:\n${printed}`);
  return found;
}
