/** Values that are worked out from the log, kept in memory, and forgotten when an entry changes them. */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import type { LogEntry } from "./entry.ts";
import type { Hub } from "./hub.ts";

export interface FollowOptions<Value extends object> {
  /** The most values that are kept. */
  max: number;
  /** Whose value the entry changes; undefined for most entries. */
  changes(entry: LogEntry): string | undefined;
  load(key: string): Promise<Value>;
}

export interface Followed<Value> {
  /** The value with everything up to the hub's head at the time of the call. */
  get(key: string): Promise<Value>;
  /** The same value, if it is in memory: for hot paths that must not wait. */
  peek(key: string): Value | undefined;
}

/**
 * Keeps values in step with the log. A value that is changed while it is loaded is not kept: what was loaded may be of before or
 * behind the change.
 */
export function followLog<Value extends object>(hub: Hub, options: FollowOptions<Value>): Followed<Value> {
  const known = new LRUCache<string, Value>(atMost(options.max));
  const loads = new Map<string, Promise<Value>>();

  hub.listen((entries) => {
    for (const entry of entries) {
      const key = options.changes(entry);
      if (key === undefined) continue;
      known.delete(key);
      loads.delete(key);
    }
  });

  async function load(key: string): Promise<Value> {
    const loading = options.load(key);
    loads.set(key, loading);
    try {
      const value = await loading;
      if (loads.get(key) === loading) known.set(key, value);
      return value;
    } finally {
      if (loads.get(key) === loading) loads.delete(key);
    }
  }

  return {
    peek: (key) => known.get(key),
    get(key) {
      const value = known.get(key);
      return value === undefined ? (loads.get(key) ?? load(key)) : Promise.resolve(value);
    },
  };
}
