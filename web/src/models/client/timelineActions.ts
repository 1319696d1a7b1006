/** What a person does with the messages of a timeline. */
import { EventStatus, EventType, type MatrixEvent, ReceiptType, RelationType, type Room } from "matrix-js-sdk";
import type { Draft } from "../composer/draft.ts";
import type { Outcome, TimelineModel } from "../room/model.ts";
import { messagePath } from "../routes.ts";
import { contentOf } from "./edits.ts";
import { isMessage, isPassing, onItsWay } from "./events.ts";
import { personIn } from "./person.ts";
import { ownReaction } from "./reactions.ts";
import { parts as partsOf, text } from "./safe.ts";
import type { Parts } from "./timeline.ts";

type Actions = Omit<TimelineModel, "store" | "activate" | "loadOlder" | "reach">;

export function timelineActions(parts: Parts): Actions {
  const { client, room, uploads, events, refresh } = parts;
  const { roomId } = room;
  const me = client.getSafeUserId();
  /** The message of a row, or the change of it, that is on its way. */
  const unsentBy = (key: string) => {
    const event = events().find((event) => (event.getTxnId() ?? event.getId()) === key);
    return event && onItsWay(event);
  };
  return {
    async toggleReaction(id, key) {
      const own = ownReaction(room, id, { me, key });
      if (!own) return outcomeOf(client.sendEvent(roomId, EventType.Reaction, reactionContent(id, key)));
      if (own.status !== EventStatus.NOT_SENT) return outcomeOf(client.redactEvent(roomId, own.getId() ?? ""));
      // Nobody has seen it.
      client.cancelPendingEvent(own);
      return "sent";
    },
    redact: (id, reason) => outcomeOf(client.redactEvent(roomId, id, undefined, reason ? { reason } : undefined)),
    async retry(key) {
      const event = unsentBy(key);
      if (event?.status === EventStatus.NOT_SENT) await client.resendEvent(event, room);
      else uploads.retry(key);
    },
    discard(key) {
      const event = unsentBy(key);
      if (event) client.cancelPendingEvent(event);
      else uploads.cancel(key);
      refresh();
    },
    cancelUpload: (key) => uploads.cancel(key),
    async retryDecryption(id) {
      const event = room.findEventById(id);
      const crypto = client.getCrypto();
      if (event && crypto) await event.attemptDecryption(crypto as never, { isRetry: true });
    },
    markRead: readMarker(parts),
    draftOf(id) {
      const event = room.findEventById(id);
      return event ? draftOf(room, event) : null;
    },
    lastEditable: () =>
      events()
        .findLast((event) => isEditable(event, me))
        ?.getId() ?? null,
    permalink: (id) => location.origin + messagePath(roomId, id),
  };
}

/** What only waits for the connection has not failed: the outbox sends it. */
async function outcomeOf(sending: Promise<unknown>): Promise<Outcome> {
  try {
    await sending;
    return "sent";
  } catch (error) {
    if (isPassing(error as Error)) return "waiting";
    throw error;
  }
}

function reactionContent(id: string, key: string) {
  return { "m.relates_to": { rel_type: RelationType.Annotation, event_id: id, key } } as const;
}

function isEditable(event: MatrixEvent, me: string): boolean {
  if (event.getSender() !== me || event.status || event.isRedacted() || !isMessage(event)) return false;
  const { msgtype } = contentOf(event);
  return msgtype === "m.text" || msgtype === "m.emote";
}

/** The message as it can be written again: its text, and the people whom it names. */
function draftOf(room: Room, event: MatrixEvent): Draft {
  const content = contentOf(event);
  const users = partsOf(content["m.mentions"])["user_ids"];
  const mentions = (Array.isArray(users) ? users : [])
    .filter((id) => typeof id === "string")
    .map((id) => ({ id, name: personIn(room, id).name }));
  const body = text(content["body"]) ?? "";
  return { text: content["msgtype"] === "m.emote" ? `/me ${body}` : body, mentions };
}

/** Sends receipt and marker for what was seen, once for each event and only forward. */
function readMarker({ client, room, thread }: Parts): (eventId: string) => void {
  let marked: string | null = null;
  // A marker that could not be set is set with the next message; the person can do nothing about it.
  const forget = () => {
    marked = null;
  };
  return (eventId) => {
    const event = room.findEventById(eventId);
    if (!event || event.status || marked === eventId || !isForward(client.getSafeUserId(), room, eventId)) return;
    marked = eventId;
    if (thread) client.sendReceipt(event, ReceiptType.Read, {}, false).catch(forget);
    else client.setRoomReadMarkers(room.roomId, eventId, event).catch(forget);
  };
}

/** Whether the event stands after what was read; when the order cannot be known, yes. */
function isForward(me: string, room: Room, eventId: string): boolean {
  const read = room.getEventReadUpTo(me);
  if (read === null) return true;
  if (read === eventId) return false;
  const order = room.getUnfilteredTimelineSet().compareEventOrdering(eventId, read);
  return order === null || order > 0;
}
