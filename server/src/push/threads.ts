/**
 * In which thread an event is, for what counts and notifies by threads. Most say it themselves; those that relate to another event are
 * where that one is, which is remembered (log/threads.ts).
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { type Parent, readParents } from "../log/threads.ts";
import { openLookup } from "../lookups.ts";

export interface Threads {
  /** The root of the event's thread, null where it is in none, and undefined where that is not in memory. */
  peek(entry: LogEntry): string | null | undefined;
  of(entry: LogEntry): Promise<string | null>;
  /** Brings the threads of all these events into memory. */
  learn(entries: readonly LogEntry[]): Promise<void>;
}

const opened = new WeakMap<Context, Threads>();

export function threadsOf(ctx: Context): Threads {
  const known = opened.get(ctx);
  if (known) return known;
  const threads = openThreads(ctx);
  opened.set(ctx, threads);
  return threads;
}

/** A parent that there is not. */
const NONE: Parent = { id: "", roomId: "", root: null };

function openThreads(ctx: Context): Threads {
  const parents = new LRUCache<string, Parent>(atMost(limits.userCache_users));
  const look = openLookup({
    most: limits.lookup_keys,
    async ask(eventIds: readonly string[]) {
      const found = new Map((await readParents(ctx.db.log, eventIds)).map((parent) => [parent.id, parent]));
      return eventIds.map((id) => found.get(id) ?? NONE);
    },
  });

  function peek(entry: LogEntry): string | null | undefined {
    if (entry.relatesTo === null) return null;
    if (entry.relationType === "m.thread") return entry.relatesTo;
    const parent = parents.get(entry.relatesTo);
    // Relations lead nowhere else than into the event's own room.
    return parent && (parent.roomId === entry.roomId ? parent.root : null);
  }

  async function learn(entries: readonly LogEntry[]): Promise<void> {
    const missing = new Set(entries.flatMap((entry) => (peek(entry) === undefined ? [entry.relatesTo as string] : [])));
    await Promise.all([...missing].map(async (id) => parents.set(id, await look(id))));
  }

  return {
    peek,
    learn,
    async of(entry) {
      await learn([entry]);
      return peek(entry) ?? null;
    },
  };
}
