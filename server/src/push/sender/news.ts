/** What a stretch of the log means to those who have pushers: what notifies them, and what they have read. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import { readPositions } from "../../log/for-push.ts";
import { membershipsOf } from "../../rooms/access.ts";
import type { RoomState } from "../../rooms/state.ts";
import { pause } from "../../seams.ts";
import { personRules } from "../person-rules.ts";
import { preparedOf, readsItsThread } from "../prepare.ts";
import { threadsOf } from "../threads.ts";
import type { Watchers } from "./watchers.ts";

/** One event that notifies one person. */
export interface Notice {
  user_id: string;
  position: number;
  room_id: string;
  event_id: string;
  /** The root of its thread, or main. */
  thread_id: string;
  /** JSON. */
  tweaks: string;
}

/** How far somebody has read a room, or a thread of it. */
export interface Reading {
  user_id: string;
  room_id: string;
  /** '' is the whole room. */
  thread_id: string;
  position: number;
}

export interface News {
  notices: Notice[];
  readings: Reading[];
}

/** What was read within the stretch is no notice any more. */
export async function newsIn(ctx: Context, watchers: Watchers, entries: readonly LogEntry[]): Promise<News> {
  const readings = [...(await readingsIn(ctx, watchers, entries)), ...(await saidIn(ctx, watchers, entries))];
  const notices = await noticesIn(ctx, watchers, entries);
  const isRead = (notice: Notice) => readings.some((reading) => covers(reading, notice));
  return { notices: readings.length === 0 ? notices : notices.filter((notice) => !isRead(notice)), readings };
}

function covers(reading: Reading, notice: Notice): boolean {
  const isSame = reading.user_id === notice.user_id && reading.room_id === notice.room_id;
  const isOfThread = reading.thread_id === "" || reading.thread_id === notice.thread_id;
  return isSame && isOfThread && notice.position <= reading.position;
}

async function readingsIn(ctx: Context, watchers: Watchers, entries: readonly LogEntry[]): Promise<Reading[]> {
  const receipts = entries.filter(({ kind, userId }) => kind === "receipt" && watchers.has(userId as string));
  if (receipts.length === 0) return [];
  const read = receipts.map((receipt) => ({
    receipt,
    eventId: (JSON.parse(receipt.body) as { event_id: string }).event_id,
  }));
  const positions = await readPositions(
    ctx.db.log,
    read.map(({ eventId }) => eventId),
  );
  return read.flatMap(({ receipt, eventId }) => {
    const position = positions.get(eventId);
    if (position === undefined) return [];
    const { userId, roomId, stateKey } = receipt;
    return [{ user_id: userId as string, room_id: roomId as string, thread_id: stateKey ?? "", position }];
  });
}

/** Who says something has read what was said before. */
async function saidIn(ctx: Context, watchers: Watchers, entries: readonly LogEntry[]): Promise<Reading[]> {
  const said = entries.filter((entry) => readsItsThread(entry) && watchers.has(entry.userId as string));
  const threads = threadsOf(ctx);
  await threads.learn(said);
  return said.map((entry) => ({
    user_id: entry.userId as string,
    room_id: entry.roomId as string,
    thread_id: threads.peek(entry) ?? "main",
    position: entry.position,
  }));
}

async function noticesIn(ctx: Context, watchers: Watchers, entries: readonly LogEntry[]): Promise<Notice[]> {
  const watching = await watchers.inRoomsOf(entries);
  const oldest_ms = ctx.seams.now_ms() - limits.pushOld_ms;
  const notices: Notice[] = [];
  for (const entry of entries) {
    const userIds = entry.kind === "event" ? (watching.get(entry.roomId as string) ?? []) : [];
    if (userIds.length === 0 || (entry.ts ?? 0) < oldest_ms) continue;
    const room = await ctx.rooms.find(entry.roomId as string);
    if (!room) continue;
    for (const userId of userIds) {
      const notice = userId === entry.userId ? undefined : await noticeFor(ctx, { room, entry, userId });
      if (notice) notices.push(notice);
    }
    // A large room is many evaluations, and whoever waits for this process is served between its events.
    if (userIds.length >= limits.pushYield_people) await pause(ctx.seams, 0);
  }
  return notices;
}

interface Seen {
  room: RoomState;
  entry: LogEntry;
  userId: string;
}

async function noticeFor(ctx: Context, { room, entry, userId }: Seen): Promise<Notice | undefined> {
  const rules = personRules(ctx);
  const outcome = (rules.peek(userId) ?? (await rules.get(userId)))(preparedOf(entry, room));
  if (!outcome.notify || !(await concerns(ctx, { room, entry, userId }))) return undefined;
  return {
    user_id: userId,
    position: entry.position,
    room_id: room.roomId,
    event_id: entry.eventId as string,
    thread_id: (await threadsOf(ctx).of(entry)) ?? "main",
    tweaks: JSON.stringify(outcome.tweaks),
  };
}

/** Whether the person was in the room at the event, or the event invited them. */
async function concerns(ctx: Context, { room, entry, userId }: Seen): Promise<boolean> {
  const isOwnMembership = entry.type === "m.room.member" && entry.stateKey === userId;
  const isOlder = room.memberPosition(userId) <= entry.position;
  const membership = isOlder ? room.membership(userId) : (await membershipsOf(ctx, room, userId))(entry.position);
  return membership === "join" || (isOwnMembership && membership === "invite");
}
