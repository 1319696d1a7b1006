/** Ports of this machine, and whether something answers there. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** A port that the system has just found free: for a program that has to be told its port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
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
