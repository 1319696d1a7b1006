/** What all syncs of a process share, whether a request asks for them or a stream pushes them. */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { openDeletions, openKeyCounts } from "./devices.ts";
import type { SyncParts } from "./run.ts";
import { openUnreadCounter } from "./unread.ts";
import { openWaiters } from "./waiters.ts";

const partsOf = new WeakMap<Context, SyncParts>();

/** Opens the parts; opening them twice is opening them once. */
export function openSyncParts(ctx: Context): SyncParts {
  const known = partsOf.get(ctx);
  if (known) return known;
  const { log, rooms, ephemeral, seams, stopping } = ctx;
  const parts: SyncParts = {
    waiters: openWaiters({ hub: log.hub, rooms, ephemeral, seams, stopping }),
    unread: openUnreadCounter(ctx),
    keyCounts: openKeyCounts(ctx),
    deleteArrived: openDeletions(ctx),
    lazyMembers: new LRUCache(atMost(limits.lazyMembers_sessions)),
    handedOut: new LRUCache(atMost(limits.sessionCache_sessions)),
    arrived: new LRUCache(atMost(limits.sessionCache_sessions)),
  };
  partsOf.set(ctx, parts);
  return parts;
}

/** The parts that were opened at the start. */
export function syncPartsOf(ctx: Context): SyncParts {
  return partsOf.get(ctx) ?? openSyncParts(ctx);
}
