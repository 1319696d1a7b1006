/** The items of a timeline, from the SDK's events. */
import { EventStatus, EventType, type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk";
import type { MessageItem, Quote, SendStatus, SystemItem, TimelineItem } from "../timeline/item.ts";
import { bodyOf } from "./body.ts";
import { peopleOf } from "./direct.ts";
import { editOf } from "./edits.ts";
import { isMessage, onItsWay, refusalOf } from "./events.ts";
import { personIn } from "./person.ts";
import { type Reach, reachOf } from "./reach.ts";
import { reactionsOf } from "./reactions.ts";
import type { Shields } from "./shields.ts";
import { systemItem } from "./systemItem.ts";
import { threadOf } from "./threads.ts";

export interface ItemOptions {
  client: MatrixClient;
  room: Room;
  shields: Shields;
  quoteOf: (event: MatrixEvent) => Quote | undefined;
  /** Within a thread, messages carry no summary of it, and changes of the room are not told. */
  inThread: boolean;
}

/** What one reading of a timeline knows beside its events. */
interface Reading extends ItemOptions {
  me: string;
  /** With whom one talks directly here; null in a channel. */
  direct: string[] | null;
  /** There is no connection: what is on its way waits for it. */
  offline: boolean;
  reach: Reach | null;
}

/**
 * A function that gives what people see of the events, in their order. Edits and reactions are part of the events that
 * they are about. An item that has not changed stays the same object.
 */
export function itemReader(options: ItemOptions): (events: MatrixEvent[], offline: boolean) => TimelineItem[] {
  const kept = new WeakMap<MatrixEvent, { item: TimelineItem; print: string }>();
  const me = options.client.getSafeUserId();
  return (events, offline) => {
    options.shields.look(events);
    const reading: Reading = {
      ...options,
      me,
      direct: peopleOf(options.client, options.room.roomId),
      offline,
      reach: options.inThread ? null : reachOf(options.room, events, me),
    };
    return events.flatMap((event) => {
      const item = itemOf(event, reading);
      if (!item) return [];
      const print = printOf(item);
      const old = kept.get(event);
      if (old && old.print === print && sameBody(old.item, item)) return [old.item];
      kept.set(event, { item, print });
      return [item];
    });
  };
}

function itemOf(event: MatrixEvent, reading: Reading): MessageItem | SystemItem | null {
  if (event.isState()) return reading.inThread ? null : systemItem(reading, event);
  return isMessage(event) ? messageItem(event, reading) : null;
}

/** Bodies are kept with their contents, so everything else is small enough to be compared as text. */
function printOf(item: TimelineItem): string {
  return JSON.stringify(item.type === "message" ? { ...item, body: item.body.kind } : item);
}

function sameBody(old: TimelineItem, item: TimelineItem): boolean {
  if (old.type !== "message" || item.type !== "message") return true;
  return old.body === item.body || (small(old) && JSON.stringify(old.body) === JSON.stringify(item.body));
}

function small({ body }: MessageItem): boolean {
  return body.kind === "redacted" || body.kind === "undecryptable";
}

function messageItem(event: MatrixEvent, reading: Reading): MessageItem {
  const { client, room, me, shields, quoteOf, inThread } = reading;
  const id = event.getId() ?? "";
  const reach = reading.reach?.id === id ? reading.reach : null;
  const mine = event.getSender() === me;
  const { body, text } = bodyOf(room, event);
  return {
    type: "message",
    key: event.getTxnId() ?? id,
    id,
    sender: personIn(room, event.getSender() ?? ""),
    at_ms: event.getTs(),
    body,
    text,
    edited: editOf(event) !== null,
    mine,
    mentionsMe: !mine && (client.getPushActionsForEvent(event)?.tweaks.highlight ?? false),
    replyTo: body.kind === "redacted" ? undefined : quoteOf(event),
    reactions: body.kind === "redacted" ? [] : reactionsOf(room, id, me),
    thread: inThread ? undefined : threadOf(room, event),
    ...sending(event, reading.offline),
    deviceWarning: shields.of(event),
    arrived: reach ? (reach.delivered ? "delivered" : "sent") : undefined,
    seenBy: reach?.seenBy ?? [],
    can: rights(event, body.kind, reading),
  };
}

function rights(event: MatrixEvent, kind: MessageItem["body"]["kind"], { room, me }: Reading): MessageItem["can"] {
  const isSent = event.status === null || event.status === EventStatus.SENT;
  const isLive = isSent && kind !== "redacted" && kind !== "undecryptable";
  return {
    edit: isLive && event.getSender() === me && (kind === "text" || kind === "emote"),
    redact: isSent && kind !== "redacted" && room.currentState.maySendRedactionForEvent(event, me),
    reply: isLive && room.currentState.maySendMessage(me),
    react: isLive && room.currentState.maySendEvent(EventType.Reaction, me),
  };
}

/** How the message stands, or the change of it that is on its way. */
function sending(event: MatrixEvent, offline: boolean): { status: SendStatus; failure?: string | undefined } {
  const { status } = onItsWay(event);
  switch (status) {
    case null:
    case EventStatus.SENT:
      return { status: "sent" };
    case EventStatus.NOT_SENT: {
      const failure = refusalOf(onItsWay(event));
      return failure === undefined ? { status: "waiting" } : { status: "failed", failure };
    }
    case EventStatus.CANCELLED:
      return { status: "failed", failure: "cancelled" };
    default:
      return { status: offline ? "waiting" : "sending" };
  }
}
