/** The timeline of a room, or of a thread in it, on the SDK's. */
import {
  Direction,
  EventStatus,
  EventType,
  type EventTimelineSet,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  ReceiptType,
  RelationType,
  type Room,
  RoomEvent,
  RoomStateEvent,
} from "matrix-js-sdk";
import { createStore } from "zustand/vanilla";
import type { Draft } from "../composer/draft.ts";
import { messagePath } from "../routes.ts";
import type { TimelineModel, TimelineSnapshot } from "../room/model.ts";
import { toRows } from "../timeline/rows.ts";
import { batched } from "./batch.ts";
import { itemsOf, ownReaction } from "./items.ts";
import { listen } from "./listen.ts";
import { personIn } from "./person.ts";
import type { Uploads } from "./uploads.ts";

const PAGE = 30;
/** How many pages are looked through for a message that an address names. */
const REACH_PAGES = 40;

export interface TimelineOptions {
  client: MatrixClient;
  room: Room;
  uploads: Uploads;
  /** Events that others relate to belong to the room's timeline or to a thread's. */
  set: () => EventTimelineSet | null;
  /** Of a thread: its first message. */
  rootId?: string;
}

/** What the parts of one timeline share. */
interface Parts extends TimelineOptions {
  refresh: () => void;
  events: () => MatrixEvent[];
}

/** The model; it follows the SDK only while it is active. */
export function openTimeline(options: TimelineOptions): TimelineModel {
  const { client, room, rootId } = options;
  const store = createStore<TimelineSnapshot>(() => ({
    rows: [],
    ready: false,
    hasOlder: false,
    loadingOlder: false,
    error: null,
    unreadAtOpen: 0,
  }));
  let readUpTo: string | null = null;
  const events = () => options.set()?.getLiveTimeline().getEvents() ?? [];
  const refresh = () => {
    const items = itemsOf(shownEvents(events(), rootId), { client, room, inThread: rootId !== undefined });
    const uploads = options.uploads.of(rootId);
    const root = rootId ? room.findEventById(rootId) : undefined;
    const hasOlder = olderToken(options.set()) !== null;
    const rows = toRows([...items, ...uploads], { readUpTo, atStart: !hasOlder && !rootId, after_ms: root?.getTs() });
    const head = root
      ? [
          ...toRows(itemsOf([root], { client, room, inThread: true }), {
            readUpTo: null,
            atStart: false,
            after_ms: root.getTs(),
          }),
          { type: "replies", key: "replies", replies: items.length } as const,
        ]
      : [];
    store.setState({ rows: [...head, ...rows], ready: options.set() !== null, hasOlder });
  };
  const parts: Parts = { ...options, refresh, events };
  const batch = batched(refresh);
  const loadOlder = () => older(parts, store);
  return {
    store,
    activate() {
      const me = client.getSafeUserId();
      readUpTo = rootId ? null : room.getEventReadUpTo(me);
      store.setState({ unreadAtOpen: unreadAfter(events(), readUpTo, me) });
      refresh();
      if (shownEvents(events(), rootId).length < PAGE) void loadOlder();
      const stop = [follow(options, batch.soon), options.uploads.listen(batch.soon)];
      return () => {
        batch.stop();
        for (const each of stop) each();
      };
    },
    loadOlder,
    async reach(eventId) {
      for (let page = 0; page < REACH_PAGES; page++) {
        if (events().some((event) => event.getId() === eventId)) return true;
        if (olderToken(options.set()) === null) return false;
        await loadOlder();
      }
      return false;
    },
    ...actionsOf(parts),
  };
}

/** A thread's first message stands above it; what belongs to a thread does not stand in the room. */
function shownEvents(events: MatrixEvent[], rootId: string | undefined): MatrixEvent[] {
  if (rootId) return events.filter((event) => event.getId() !== rootId);
  return events.filter(
    (event) => event.threadRootId === undefined || event.isThreadRoot || event.getId() === event.threadRootId,
  );
}

function olderToken(set: EventTimelineSet | null): string | null {
  return set?.getLiveTimeline().getPaginationToken(Direction.Backward) ?? null;
}

async function older(
  { client, set, refresh }: Parts,
  store: { getState(): TimelineSnapshot; setState(change: Partial<TimelineSnapshot>): void },
): Promise<void> {
  const timeline = set()?.getLiveTimeline();
  if (!timeline || store.getState().loadingOlder || olderToken(set()) === null) return;
  store.setState({ loadingOlder: true, error: null });
  try {
    await client.paginateEventTimeline(timeline, { backwards: true, limit: PAGE });
    store.setState({ loadingOlder: false });
  } catch (error) {
    store.setState({
      loadingOlder: false,
      error: `Older messages could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  refresh();
}

function unreadAfter(events: MatrixEvent[], readUpTo: string | null, me: string): number {
  const read = events.findLastIndex((event) => event.getId() === readUpTo);
  if (read === -1) return 0;
  return events
    .slice(read + 1)
    .filter((event) => !event.isState() && event.getSender() !== me && !event.isRelation(RelationType.Annotation))
    .length;
}

/** Calls `changed` for whatever may change what the timeline shows. */
function follow({ client, room }: TimelineOptions, changed: () => void): () => void {
  const ofRoom = (_event: MatrixEvent, of?: Room) => {
    if (!of || of.roomId === room.roomId) changed();
  };
  const ofEvent = (event: MatrixEvent) => {
    if (event.getRoomId() === room.roomId) changed();
  };
  return listen(client, {
    [RoomEvent.Timeline]: ofRoom,
    [RoomEvent.TimelineReset]: () => changed(),
    [RoomEvent.LocalEchoUpdated]: ofRoom,
    [RoomEvent.Redaction]: ofRoom,
    [RoomEvent.Receipt]: ofRoom,
    [RoomStateEvent.Members]: ofEvent,
    [MatrixEventEvent.Decrypted]: ofEvent,
    [MatrixEventEvent.Replaced]: ofEvent,
    [MatrixEventEvent.RelationsCreated]: ofEvent,
    [MatrixEventEvent.Status]: ofEvent,
  });
}

type Actions = Omit<TimelineModel, "store" | "activate" | "loadOlder" | "reach">;

function actionsOf({ client, room, uploads, rootId, events, refresh }: Parts): Actions {
  const { roomId } = room;
  const me = client.getSafeUserId();
  const byKey = (key: string) => events().find((event) => (event.getTxnId() ?? event.getId()) === key);
  return {
    async toggleReaction(id, key) {
      const own = ownReaction(room, { id, me, key });
      if (own?.getId()) await client.redactEvent(roomId, own.getId() as string);
      else
        await client.sendEvent(roomId, EventType.Reaction, {
          "m.relates_to": { rel_type: RelationType.Annotation, event_id: id, key },
        });
    },
    async redact(id, reason) {
      await client.redactEvent(roomId, id, undefined, reason ? { reason } : undefined);
    },
    async retry(key) {
      const event = byKey(key);
      if (event?.status === EventStatus.NOT_SENT) await client.resendEvent(event, room);
      else uploads.retry(key);
    },
    discard(key) {
      const event = byKey(key);
      if (event) client.cancelPendingEvent(event);
      else uploads.cancel(key);
      refresh();
    },
    cancelUpload: (key) => uploads.cancel(key),
    async retryDecryption(id) {
      const event = room.findEventById(id);
      if (event) await event.attemptDecryption(client.getCrypto() as never, { isRetry: true });
    },
    markRead: (id) => markRead({ client, room, rootId }, id),
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

function isEditable(event: MatrixEvent, me: string): boolean {
  if (event.getSender() !== me || event.status || event.isRedacted() || event.isState() || event.isDecryptionFailure())
    return false;
  const { msgtype } = event.getContent<{ msgtype?: string }>();
  return (msgtype === "m.text" || msgtype === "m.emote") && !event.isRelation(RelationType.Replace);
}

/** The message as it can be written again: its text, and the people whom it names. */
function draftOf(room: Room, event: MatrixEvent): Draft {
  const content = event.getContent<{ msgtype?: string; body?: string; "m.mentions"?: { user_ids?: string[] } }>();
  const mentions = (content["m.mentions"]?.user_ids ?? []).map((id) => ({ id, name: personIn(room, id).name }));
  const text = content.body ?? "";
  return { text: content.msgtype === "m.emote" ? `/me ${text}` : text, mentions };
}

/** Receipt and marker, once for each event and only forward. */
function markRead(
  { client, room, rootId }: { client: MatrixClient; room: Room; rootId: string | undefined },
  eventId: string,
): void {
  const event = room.findEventById(eventId);
  if (!event || event.status || eventId.startsWith("~")) return;
  const me = client.getSafeUserId();
  if (!rootId && room.getEventReadUpTo(me) === eventId) return;
  // A marker that could not be set is set with the next message; the person can do nothing about it.
  const ignore = () => undefined;
  if (rootId) client.sendReceipt(event, ReceiptType.Read, {}, false).catch(ignore);
  else client.setRoomReadMarkers(room.roomId, eventId, event).catch(ignore);
}
