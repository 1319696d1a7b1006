/** nginx as the static web image starts it, on this machine: the same script, configuration and environment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, chmodSync, constants, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../testkit/src/ports.ts";
import { until } from "./until.ts";

const START_DEADLINE_MS = 20_000;
const here = fileURLToPath(new URL("../web/", import.meta.url));
const built = fileURLToPath(new URL("../../web/dist/", import.meta.url));
const builtConsole = fileURLToPath(new URL("../../operator/dist/", import.meta.url));
const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** Why tests with nginx are skipped, for `test(…, { skip })`; false where it is installed. */
export const missingNginx: string | false =
  !places.some((place) => isExecutable(join(place, "nginx"))) &&
  "nginx is not installed (Debian: apt-get install nginx-light)";

export interface Nginx extends AsyncDisposable {
  url: string;
  /** Sends the signal, and gives the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts it in front of an API, and waits until it answers. */
export async function startNginx(env: { API_BASE_URL: string }): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "parley-nginx-"));
  // Its workers are another account's where root runs the test.
  chmodSync(folder, 0o755);
  cpSync(built, join(folder, "web"), { recursive: true });
  cpSync(builtConsole, join(folder, "web", "admin"), { recursive: true });
  mkdirSync(join(folder, "tmp"));
  const port = await freePort();
  const run = launch({ ...env, PORT: `${port}`, WEB_ROOT: join(folder, "web"), WEB_TMP: join(folder, "tmp") });
  const end = async (signal: NodeJS.Signals) => {
    run.child.kill(signal);
    return (await run.ended).code;
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await until("the start of nginx", () => isUp(run, url), { deadline_ms: START_DEADLINE_MS });
  } catch (thrown) {
    await end("SIGKILL");
    throw thrown;
  }
  const dispose = async () => {
    await end("SIGTERM");
    rmSync(folder, { recursive: true });
  };
  return { url, end, [Symbol.asyncDispose]: dispose };
}

async function isUp({ child, output }: Run, url: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`nginx did not start: ${output()}`);
  return fetch(`${url}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );
}

type Run = ReturnType<typeof launch>;

/** Runs the script with nothing but this environment. */
export function launch(env: Record<string, string>) {
  const child = spawn("sh", [join(here, "start.sh")], {
    env: { PATH: places.join(delimiter), ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => (text += part));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output: text }));
  return { child, ended, output: () => text };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
