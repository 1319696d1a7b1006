/** Sessions in this process alone: they end with it, and no other knows of them. */
import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import type { SessionStore } from "./sessions.ts";

interface Entry {
  owner: string;
  data: string;
  until_ms: number;
}

export function openMemorySessions(seams: Pick<Seams, "now_ms" | "monotonic_ms">): SessionStore {
  const entries = new LRUCache<string, Entry>(atMost(limits.consoleSessions));
  const keyOf = (id: string) => hash("sha256", id, "base64");

  function living(id: string): Entry | undefined {
    const key = keyOf(id);
    const entry = entries.get(key);
    if (entry && entry.until_ms > seams.monotonic_ms()) return entry;
    entries.delete(key);
    return undefined;
  }

  return {
    name: "memory",
    async get(id) {
      const entry = living(id);
      if (!entry) return undefined;
      return { data: entry.data, left_ms: entry.until_ms - seams.monotonic_ms(), now_ms: seams.now_ms() };
    },
    async set(id, data, { owner, ttl_ms }) {
      entries.set(keyOf(id), { owner, data, until_ms: seams.monotonic_ms() + ttl_ms });
    },
    async touch(id, ttl_ms) {
      const entry = living(id);
      if (entry) entry.until_ms = seams.monotonic_ms() + ttl_ms;
    },
    async delete(id) {
      entries.delete(keyOf(id));
    },
    async deleteAll(owner) {
      const own = [...entries].filter(([, entry]) => entry.owner === owner);
      for (const [key] of own) entries.delete(key);
      return own.filter(([, { until_ms }]) => until_ms > seams.monotonic_ms()).length;
    },
    now_ms: async () => seams.now_ms(),
  };
}
