/** Whom notifications can be sent to, and in which rooms they are. Of everybody else nothing is known here, and nothing is asked. */
import { LRUCache } from "lru-cache";
import { atMost } from "../../bounded.ts";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import { readMembersAmong } from "../../log/for-push.ts";

export interface Watchers {
  /** Makes sure of who has pushers. Gives from where in the log on one of them is interested; undefined where nobody has one. */
  refresh(): Promise<number | undefined>;
  has(userId: string): boolean;
  /** Who of them is in the rooms of these entries, or invited, by room; rooms without one are left out. */
  inRoomsOf(entries: readonly LogEntry[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

interface Mark {
  count: number;
  newest: number | null;
  sum: number | null;
}

export function openWatchers(ctx: Context): Watchers {
  let since = new Map<string, number>();
  let mark: Mark | undefined;
  let read_ms = 0;
  let inRoom = new LRUCache<string, readonly string[]>(atMost(limits.pushWatched_rooms));

  async function readAll(): Promise<void> {
    const rows = await ctx.db.push.query<{ userId: string; since: number }>(
      `select user_id as "userId", min(since) as since from push.pushers group by user_id`,
    );
    since = new Map(rows.map((row) => [row.userId, row.since]));
    inRoom = new LRUCache(atMost(limits.pushWatched_rooms));
    read_ms = ctx.seams.monotonic_ms();
  }

  return {
    async refresh() {
      // Numbers that are given once: who came or went changes at least one of the three.
      const now = await ctx.db.push.one<Mark>(
        "select count(*) as count, max(pusher_id) as newest, sum(pusher_id)::bigint as sum from push.pushers",
      );
      const isSame = mark && now?.count === mark.count && now.newest === mark.newest && now.sum === mark.sum;
      if (!isSame || ctx.seams.monotonic_ms() - read_ms > limits.pushWatchers_ms) await readAll();
      mark = now;
      return since.size === 0 ? undefined : [...since.values()].reduce((least, each) => Math.min(least, each));
    },
    has: (userId) => since.has(userId),
    async inRoomsOf(entries) {
      for (const entry of entries) if (entry.type === "m.room.member") inRoom.delete(entry.roomId as string);
      const roomIds = [
        ...new Set(entries.filter(({ kind }) => kind === "event").map(({ roomId }) => roomId as string)),
      ];
      const unknown = roomIds.filter((roomId) => !inRoom.has(roomId));
      if (unknown.length > 0) {
        const members = await readMembersAmong(ctx.db.log, unknown, [...since.keys()]);
        const byRoom = Map.groupBy(members, ({ roomId }) => roomId);
        for (const roomId of unknown)
          inRoom.set(
            roomId,
            (byRoom.get(roomId) ?? []).map(({ userId }) => userId),
          );
      }
      const found = roomIds.map((roomId) => [roomId, inRoom.get(roomId) ?? []] as const);
      return new Map(found.filter(([, userIds]) => userIds.length > 0));
    },
  };
}
