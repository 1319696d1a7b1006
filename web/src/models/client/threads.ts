import {
  Direction,
  type MatrixClient,
  type MatrixEvent,
  NotificationCountType,
  type Room,
  type Thread,
  THREAD_RELATION_TYPE,
} from "matrix-js-sdk";
import type { MessageItem } from "../timeline/item.ts";
import { isMessage } from "./events.ts";
import { parts, size } from "./safe.ts";

/** The summary of the thread that begins with the event; undefined when there is none. */
export function threadOf(room: Room, event: MatrixEvent): MessageItem["thread"] {
  const id = event.getId();
  const thread = id ? room.getThread(id) : null;
  const count = thread ? countOf(thread) : 0;
  if (thread && count > 0)
    return { count, last_ms: thread.replyToEvent?.getTs() ?? event.getTs(), ...newsIn(room, thread.id) };
  const bundled = parts(event.getServerAggregatedRelation(THREAD_RELATION_TYPE.name));
  const bundledCount = size(bundled["count"]) ?? 0;
  if (bundledCount === 0) return undefined;
  const last_ms = size(parts(bundled["latest_event"])["origin_server_ts"]) ?? event.getTs();
  return { count: bundledCount, last_ms, ...newsIn(room, id ?? "") };
}

/** What of the thread one has not read and would be told of. */
function newsIn(room: Room, threadId: string): { unread: number; mentions: number } {
  return {
    unread: room.getThreadUnreadNotificationCount(threadId, NotificationCountType.Total),
    mentions: room.getThreadUnreadNotificationCount(threadId, NotificationCountType.Highlight),
  };
}

/**
 * The SDK adds each reply that it hears to the number that the server has said last, which may have it already, or be old. Where the
 * thread is here from its beginning, its replies are counted.
 */
function countOf(thread: Thread): number {
  const isWhole = thread.initialEventsFetched && thread.liveTimeline.getPaginationToken(Direction.Backward) === null;
  return isWhole ? repliesIn(thread) : Math.max(thread.length, repliesIn(thread));
}

/** The replies that are known here. */
function repliesIn(thread: Thread): number {
  const isReply = (event: MatrixEvent) => event.getId() !== thread.id && isMessage(event) && !event.isRedacted();
  return thread.events.filter(isReply).length;
}

/** The SDK's thread, made when it is not there yet. Its first message is fetched when it is not loaded. */
export async function ensureThread(client: MatrixClient, room: Room, rootId: string): Promise<Thread> {
  const known = room.getThread(rootId);
  if (known) return known;
  const root = room.findEventById(rootId) ?? client.getEventMapper()(await client.fetchRoomEvent(room.roomId, rootId));
  await client.decryptEventIfNeeded(root);
  return room.getThread(rootId) ?? room.createThread(rootId, root, [], false);
}
