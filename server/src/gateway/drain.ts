/**
 * The end of a process: its clients are sent to others, in batches, and each is told a time of its own at which to come back, so
 * that they do not all arrive at once.
 */
import { limits } from "../limits.ts";
import { pause } from "../seams.ts";
import { goAway } from "./closing.ts";
import type { Gateway } from "./gateway.ts";

/** Sends everybody away, also those who have not signed in yet. Resolves when the last has been told. */
export async function drain({ ctx, registry, arriving }: Gateway): Promise<void> {
  const { seams } = ctx;
  const closes = [...arriving, ...[...registry.all()].map(({ close }) => close)];
  const window_ms = returnWindow_ms(closes.length);
  for (let at = 0; at < closes.length; at += limits.streamDrain_connections) {
    if (at > 0) await pause(seams, limits.streamDrain_ms);
    for (const close of closes.slice(at, at + limits.streamDrain_connections))
      close(goAway(seams.randomInt(window_ms)));
  }
}

/** Over which time so many come back. */
export function returnWindow_ms(connections: number): number {
  const wanted_ms = connections * limits.streamReturn_ms;
  return Math.min(Math.max(wanted_ms, limits.streamReturnLeast_ms), limits.streamReturnMost_ms);
}
