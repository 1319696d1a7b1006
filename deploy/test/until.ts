/** Waiting for what has no event to wait for. */
import { setTimeout as wait } from "node:timers/promises";

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
