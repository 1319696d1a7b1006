/** The number on an app's icon: how many messages are unread in all rooms of a person, by the same counts that sync gives. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { readRoomsBehind } from "../../log/for-push.ts";
import { serves } from "../../roles.ts";
import { syncPartsOf } from "../../sync/parts.ts";
import { openUnreadCounter, type Unread, type UnreadCounter } from "../../sync/unread.ts";

const opened = new WeakMap<Context, UnreadCounter>();

/** Where this process syncs too, its counts are in memory already. */
function counterOf(ctx: Context): UnreadCounter {
  if (serves(ctx.config.roles, "sync")) return syncPartsOf(ctx).unread;
  const counter = opened.get(ctx) ?? openUnreadCounter(ctx);
  opened.set(ctx, counter);
  return counter;
}

/** Counts for these people at this moment, many of them with a handful of statements. */
export async function unreadOf(ctx: Context, userIds: readonly string[]): Promise<Map<string, number>> {
  const unread = new Map<string, number>();
  for (let at = 0; at < userIds.length; at += limits.pushCounted_people) {
    const some = userIds.slice(at, at + limits.pushCounted_people);
    const behind = await roomsBehind(ctx, some);
    const counts = await Promise.all(some.map((userId) => countIn(ctx, userId, behind.get(userId) ?? [])));
    for (const [n, userId] of some.entries()) unread.set(userId, counts[n] ?? 0);
  }
  return unread;
}

/** Rooms without anything unread cost a look at an index. */
async function roomsBehind(ctx: Context, userIds: readonly string[]): Promise<Map<string, string[]>> {
  const memberships = await Promise.all(userIds.map((userId) => ctx.rooms.memberships(userId)));
  const joined = userIds.flatMap((userId, n) =>
    [...(memberships[n] ?? [])].flatMap(([roomId, { membership, position }]) =>
      membership === "join" ? [{ userId, roomId, since: position }] : [],
    ),
  );
  const rows = await readRoomsBehind(ctx.db.log, joined);
  const byUser = Map.groupBy(rows, ({ userId }) => userId);
  return new Map(
    [...byUser].map(([userId, rooms]) => [userId, rooms.slice(0, limits.pushUnread_rooms).map(({ roomId }) => roomId)]),
  );
}

async function countIn(ctx: Context, userId: string, roomIds: readonly string[]): Promise<number> {
  if (roomIds.length === 0) return 0;
  const found = await Promise.all(roomIds.map((roomId) => ctx.rooms.find(roomId)));
  const rooms = found.filter((room) => room !== undefined);
  const counter = counterOf(ctx);
  await counter.prepare(userId, rooms);
  const counts = await Promise.all(rooms.map((room) => counter.count(userId, room)));
  return counts.reduce((sum, unread) => sum + total(unread), 0);
}

function total({ main, threads }: Unread): number {
  return [...threads.values()].reduce((sum, { notifications }) => sum + notifications, main.notifications);
}
