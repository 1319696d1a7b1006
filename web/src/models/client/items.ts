/** The items of a timeline, from the SDK's events. */
import {
  EventStatus,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  RelationType,
  type Room,
  type Thread,
  THREAD_RELATION_TYPE,
} from "matrix-js-sdk";
import type { MessageItem, Quote, Reaction, SendStatus, TimelineItem } from "../timeline/item.ts";
import { bodyOf } from "./body.ts";
import { personIn } from "./person.ts";
import { systemItem } from "./systemItem.ts";

const MESSAGES = new Set<string>([EventType.RoomMessage, EventType.RoomMessageEncrypted, EventType.Sticker]);
const SEEN_BY_LIMIT = 20;

export interface ItemOptions {
  client: MatrixClient;
  room: Room;
  /** Within a thread its own messages carry no summary of a thread. */
  inThread: boolean;
}

/** What people see of the events, in their order. Edits, reactions and the like are part of the events that they are about. */
export function itemsOf(events: MatrixEvent[], options: ItemOptions): TimelineItem[] {
  return events.flatMap((event): TimelineItem[] => {
    if (event.isState())
      return options.inThread ? [] : [systemItem(options.room, event)].filter((item) => item !== null);
    return isMessage(event) ? [messageItem(event, options)] : [];
  });
}

function isMessage(event: MatrixEvent): boolean {
  if (!MESSAGES.has(event.getType())) return false;
  const relation = event.getRelation()?.rel_type;
  return relation !== RelationType.Replace && relation !== RelationType.Annotation;
}

function messageItem(event: MatrixEvent, { client, room, inThread }: ItemOptions): MessageItem {
  const me = client.getSafeUserId();
  const id = event.getId() ?? "";
  const mine = event.getSender() === me;
  const { body, text } = bodyOf(room, event);
  const isSent = event.status === null || event.status === EventStatus.SENT;
  const isLive = isSent && body.kind !== "redacted" && body.kind !== "undecryptable";
  return {
    type: "message",
    key: event.getTxnId() ?? id,
    id,
    sender: personIn(room, event.getSender() ?? ""),
    at_ms: event.getTs(),
    body,
    text,
    edited: event.replacingEvent() !== null,
    mine,
    mentionsMe: !mine && (client.getPushActionsForEvent(event)?.tweaks.highlight ?? false),
    replyTo: body.kind === "redacted" ? undefined : quoteOf(room, event, inThread),
    reactions: reactionsOf(room, { id, me }),
    thread: inThread ? undefined : threadOf(room, event),
    ...sending(event),
    seenBy: isSent && mine ? seenBy(room, event, me) : [],
    can: {
      edit: mine && isLive && body.kind !== "image" && body.kind !== "file",
      redact: isSent && body.kind !== "redacted" && room.currentState.maySendRedactionForEvent(event, me),
      reply: isLive && room.currentState.maySendMessage(me),
      react: isLive && room.currentState.maySendEvent(EventType.Reaction, me),
    },
  };
}

function sending(event: MatrixEvent): { status: SendStatus; failure?: string } {
  switch (event.status) {
    case EventStatus.NOT_SENT:
      return isWaiting(event) ? { status: "waiting" } : { status: "failed", failure: failureOf(event) };
    case EventStatus.CANCELLED:
      return { status: "failed", failure: "cancelled" };
    case null:
    case EventStatus.SENT:
      return { status: "sent" };
    default:
      return { status: "sending" };
  }
}

/** Whether a message that was not sent only waits for the connection: the server itself has refused nothing. */
export function isWaiting(event: MatrixEvent): boolean {
  return event.status === EventStatus.NOT_SENT && event.error?.httpStatus === undefined;
}

function failureOf(event: MatrixEvent): string {
  return (event.error?.data as { error?: string } | undefined)?.error?.replace(/\.$/, "") ?? "the server refused it";
}

function quoteOf(room: Room, event: MatrixEvent, inThread: boolean): Quote | undefined {
  const isFallback = (event.getContent()["m.relates_to"] as { is_falling_back?: boolean } | undefined)?.is_falling_back;
  const id = event.replyEventId;
  if (!id || (isFallback && inThread) || isFallback) return undefined;
  const original = room.findEventById(id);
  if (!original) return { id, sender: null, text: "An earlier message" };
  return { id, sender: personIn(room, original.getSender() ?? ""), text: bodyOf(room, original).text };
}

function reactionsOf(room: Room, { id, me }: { id: string; me: string }): Reaction[] {
  const relations = room.relations.getChildEventsForEvent(id, RelationType.Annotation, EventType.Reaction);
  const sorted = relations?.getSortedAnnotationsByKey() ?? [];
  return sorted.flatMap(([key, events]) => {
    const senders = [
      ...new Set([...events].filter((event) => !event.isRedacted()).map((event) => event.getSender() ?? "")),
    ];
    if (senders.length === 0) return [];
    const names = senders.slice(0, 10).map((sender) => (sender === me ? "you" : personIn(room, sender).name));
    return [{ key, count: senders.length, names, mine: senders.includes(me) }];
  });
}

/** The own reaction with this key, to take it away again. */
export function ownReaction(
  room: Room,
  { id, me, key }: { id: string; me: string; key: string },
): MatrixEvent | undefined {
  const relations = room.relations.getChildEventsForEvent(id, RelationType.Annotation, EventType.Reaction);
  const found = relations?.getSortedAnnotationsByKey()?.find(([each]) => each === key)?.[1];
  return [...(found ?? [])].find((event) => event.getSender() === me && !event.isRedacted());
}

function threadOf(room: Room, event: MatrixEvent): MessageItem["thread"] {
  const id = event.getId();
  const thread = id ? room.getThread(id) : null;
  if (thread && thread.length > 0)
    return {
      count: Math.max(thread.length, repliesIn(thread)),
      last_ms: thread.replyToEvent?.getTs() ?? event.getTs(),
    };
  const bundled = event.getServerAggregatedRelation<{ count: number; latest_event: { origin_server_ts: number } }>(
    THREAD_RELATION_TYPE.name,
  );
  return bundled ? { count: bundled.count, last_ms: bundled.latest_event.origin_server_ts } : undefined;
}

/** The replies that are known here; the SDK's own number is as old as the last answer of the server. */
function repliesIn(thread: Thread): number {
  return thread.events.filter((event) => event.threadRootId === thread.id && isMessage(event) && !event.isRedacted())
    .length;
}

function seenBy(room: Room, event: MatrixEvent, me: string): string[] {
  if (room.getJoinedMemberCount() > SEEN_BY_LIMIT) return [];
  return room
    .getUsersReadUpTo(event)
    .filter((user) => user !== me)
    .map((user) => personIn(room, user).name);
}
