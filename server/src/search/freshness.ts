/** Whoever sends something and searches for it a moment later finds it. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { pause } from "../seams.ts";
import { readProgress } from "./project.ts";

/** Where the newest event that this process knows of stands: receipts and other entries are nothing to wait for. */
const newest = new WeakMap<Context, { position: number }>();

/** Follows the log from here on. */
export function followEvents(ctx: Context): void {
  const last = { position: ctx.log.hub.head() };
  newest.set(ctx, last);
  ctx.log.hub.listen((entries) => {
    for (const { kind, position } of entries) if (kind === "event" || kind === "removal") last.position = position;
  });
}

/**
 * Waits until what was sent before the search can be found, which mostly takes a few hundredths of a second; not where nobody keeps
 * the index, or it is far behind: then what is there is searched.
 */
export async function caughtUp(ctx: Context, signal: AbortSignal): Promise<void> {
  const { position: wanted } = newest.get(ctx) ?? { position: 0 };
  const deadline_ms = ctx.seams.monotonic_ms() + limits.searchWait_ms;
  for (;;) {
    const { position, isHeld } = await readProgress(ctx);
    const isNear = isHeld && wanted - position <= limits.searchBehind_entries;
    if (position >= wanted || !isNear || ctx.seams.monotonic_ms() >= deadline_ms) return;
    await pause(ctx.seams, limits.searchLook_ms, signal);
  }
}
