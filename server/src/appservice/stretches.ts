/** Stretches of the log, read once for all services that are at the same place. */
import { LRUCache } from "lru-cache";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { readEntries } from "../log/queries.ts";

export type Stretch = Awaited<ReturnType<typeof readEntries>>;

/** Gives a function that reads what stands behind a position. What another service just read there is given again. */
export function openStretches(ctx: Context): (after: number) => Promise<Stretch> {
  const recent = new LRUCache<number, Promise<Stretch>>({ max: limits.serviceStretches });
  return (after) => {
    const known = recent.get(after);
    if (known) return known;
    const reading = readEntries(ctx.db.log, after, limits.serviceStretch_entries);
    recent.set(after, reading);
    const forget = () => recent.peek(after) === reading && recent.delete(after);
    // At the end of the log there will be more the next time, and what was redacted since is not to be given again.
    reading.then(({ upTo }) => (upTo === after ? forget() : ctx.seams.after(limits.serviceStretch_ms, forget)), forget);
    return reading;
  };
}
