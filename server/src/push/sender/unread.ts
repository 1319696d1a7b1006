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

/** Counts at this moment. Rooms without anything unread cost a look at an index. */
export async function unreadOf(ctx: Context, userId: string): Promise<number> {
  const memberships = await ctx.rooms.memberships(userId);
  const joined = [...memberships].flatMap(([roomId, { membership, position }]) =>
    membership === "join" ? [[roomId, position] as const] : [],
  );
  const behind = await readRoomsBehind(ctx.db.log, { userId, rooms: joined, limit: limits.pushUnread_rooms });
  const found = await Promise.all(behind.map((roomId) => ctx.rooms.find(roomId)));
  const rooms = found.filter((room) => room !== undefined);
  const counter = counterOf(ctx);
  await counter.prepare(userId, rooms);
  const counts = await Promise.all(rooms.map((room) => counter.count(userId, room)));
  return counts.reduce((sum, unread) => sum + total(unread), 0);
}

function total({ main, threads }: Unread): number {
  return [...threads.values()].reduce((sum, { notifications }) => sum + notifications, main.notifications);
}
