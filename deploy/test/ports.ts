/** Ports of this machine, and whether something answers there. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** Below those that systems give to connections: a port that was found free is not taken by one before it is used. */
const [LEAST, MOST] = [15_000, 32_000];
const given = new Set<number>();

/** A port that is free now, for a program that has to be told its port. Never the same twice in a process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LEAST, MOST);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}

/** Waits until `check` gives true, asking every `period_ms`. Rejects, with what was waited for, after `deadline_ms`. */
export async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  { deadline_ms, period_ms = 50 }: { deadline_ms: number; period_ms?: number },
): Promise<void> {
  const end_ms = performance.now() + deadline_ms;
  while (!(await check())) {
    if (performance.now() > end_ms) throw new Error(`${what} did not happen within ${deadline_ms} ms`);
    await wait(period_ms);
  }
}
