/** The timeline of a room, or of a thread in it, on the SDK's. */
import { Direction, type EventTimelineSet, type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { TimelineModel, TimelineSnapshot } from "../room/model.ts";
import { reuseRows, type Row, toRows, withUploads } from "../timeline/rows.ts";
import { type Unread, unreadAtOpen } from "../timeline/unread.ts";
import { batched } from "./batch.ts";
import { isMessage } from "./events.ts";
import { follow } from "./follow.ts";
import { itemReader } from "./items.ts";
import { isOffline } from "./offline.ts";
import type { Outbox } from "./outbox.ts";
import { openQuotes } from "./quotes.ts";
import { openShields } from "./shields.ts";
import { timelineActions } from "./timelineActions.ts";
import type { Uploads } from "./uploads.ts";

const PAGE = 50;
/** How many pages are looked through for a message that an address names. */
const REACH_PAGES = 40;
/** A thread is read whole, up to this many pages: it is short, and its first message stands above it. */
const THREAD_PAGES = 20;

const EMPTY: TimelineSnapshot = {
  rows: [],
  ready: false,
  hasOlder: false,
  loadingOlder: false,
  error: null,
  unreadAtOpen: 0,
};

export interface TimelineOptions {
  client: MatrixClient;
  room: Room;
  uploads: Uploads;
  outbox: Pick<Outbox, "of" | "placed">;
  /** Where the events are; null while a thread is not known yet. */
  set: () => EventTimelineSet | null;
  /** Of a thread: its first message, and what makes it known. */
  thread?: { rootId: string; ensure: () => Promise<unknown> };
}

/** What the parts of one timeline share. */
export interface Parts extends TimelineOptions {
  store: StoreApi<TimelineSnapshot>;
  /** Everything that is loaded, in order, with the messages that are on their way. */
  events: () => MatrixEvent[];
  refresh: () => void;
}

/** The model; it follows the SDK only while it is active. */
export function openTimeline(options: TimelineOptions): TimelineModel {
  const { client, room, thread } = options;
  const store = createStore<TimelineSnapshot>(() => EMPTY);
  const events = () => eventsOf(options);
  const batch = batched(() => refresh());
  const shields = openShields(client, room, batch.soon);
  const quoteOf = openQuotes({ client, room, shields, changed: batch.soon });
  const read = itemReader({ client, room, shields, quoteOf, inThread: thread !== undefined });
  let findLine = lineFinder(options);
  const refresh = () => {
    const loaded = events();
    const unread = findLine(loaded);
    const rows = rowsOf(options, { read, events: loaded, newFrom: unread?.from ?? null });
    const set = options.set();
    store.setState({
      rows: reuseRows(store.getState().rows, rows),
      ready: set !== null,
      hasOlder: canLoad(set),
      unreadAtOpen: unread?.count ?? 0,
    });
  };
  const parts: Parts = { ...options, store, events, refresh };
  const activate = () => {
    findLine = lineFinder(options);
    store.setState({ error: null });
    refresh();
    void begin(parts);
    const stop = [
      follow(client, room, { changed: batch.soon, trustChanged: () => (shields.forget(), batch.soon()) }),
      options.uploads.listen(batch.soon),
    ];
    return () => {
      batch.stop();
      for (const each of stop) each();
    };
  };
  return { store, activate, loadOlder: () => older(parts), reach: (id) => reach(parts, id), ...timelineActions(parts) };
}

type Read = ReturnType<typeof itemReader>;

function rowsOf(options: TimelineOptions, now: { read: Read; events: MatrixEvent[]; newFrom: string | null }): Row[] {
  const { client, room, thread, uploads, set } = options;
  const offline = isOffline(client);
  const root = thread && (room.getThread(thread.rootId)?.rootEvent ?? room.findEventById(thread.rootId));
  const items = now.read(now.events, offline);
  const rows = toRows(withUploads(items, uploads.of(thread?.rootId)), {
    newFrom: now.newFrom,
    atStart: !thread && !canLoad(set()),
    after_ms: root?.getTs(),
  });
  if (!root) return rows;
  const head = toRows(now.read([root], offline), { newFrom: null, atStart: false, after_ms: root.getTs() });
  return [...head, { type: "replies", key: "replies", replies: items.length }, ...rows];
}

/** A thread's first message stands above it; what belongs to a thread does not stand in the room. */
function eventsOf({ room, set, thread, outbox }: TimelineOptions): MatrixEvent[] {
  const loaded = set()?.getLiveTimeline().getEvents() ?? [];
  const here = new Set(loaded.map((event) => event.getId()));
  const coming = outbox.of(room.roomId).filter((event) => !here.has(event.getId()));
  if (!thread) return outbox.placed([...loaded, ...coming].filter(standsInRoom));
  const replies = loaded.filter((event) => event.getId() !== thread.rootId);
  return outbox.placed([...replies, ...coming.filter((event) => event.threadRootId === thread.rootId)]);
}

function standsInRoom(event: MatrixEvent): boolean {
  return event.threadRootId === undefined || event.isThreadRoot || event.getId() === event.threadRootId;
}

function canLoad(set: EventTimelineSet | null): boolean {
  return (set?.getLiveTimeline().getPaginationToken(Direction.Backward) ?? null) !== null;
}

/** The first page of a room, everything of a thread. */
async function begin(parts: Parts): Promise<void> {
  const { thread, store } = parts;
  if (!thread) return parts.events().length < PAGE ? older(parts) : undefined;
  try {
    await thread.ensure();
  } catch {
    store.setState({ ready: true, error: "This thread could not be loaded" });
    return;
  }
  parts.refresh();
  for (let page = 0; page < THREAD_PAGES && canLoad(parts.set()) && store.getState().error === null; page += 1)
    await older(parts);
}

async function older({ client, set, refresh, store }: Parts): Promise<void> {
  const timeline = set()?.getLiveTimeline();
  if (!timeline || store.getState().loadingOlder || !canLoad(set())) return;
  store.setState({ loadingOlder: true, error: null });
  try {
    await client.paginateEventTimeline(timeline, { backwards: true, limit: PAGE });
  } catch (error) {
    store.setState({ error: error instanceof Error ? error.message : String(error) });
  }
  store.setState({ loadingOlder: false });
  refresh();
}

async function reach(parts: Parts, eventId: string): Promise<boolean> {
  const isHere = () => parts.events().some((event) => event.getId() === eventId);
  for (let page = 0; page < REACH_PAGES && !isHere() && canLoad(parts.set()); page += 1) {
    await older(parts);
    if (parts.store.getState().error !== null) return false;
  }
  return isHere();
}

/** Finds the unread line once: it stays where it was when the room was opened. */
function lineFinder({ client, room, thread }: TimelineOptions): (events: MatrixEvent[]) => Unread | null {
  const me = client.getSafeUserId();
  const readUpTo = thread ? null : room.getEventReadUpTo(me);
  let lastAtOpen: string | null = null;
  let found: Unread | null = null;
  return (events) => {
    lastAtOpen ??= events.findLast((event) => !event.status)?.getId() ?? null;
    const readable = (event: MatrixEvent) => ({
      id: event.getId() ?? "",
      isMessage: isMessage(event),
      mine: event.getSender() === me,
    });
    found ??= readUpTo === null ? null : unreadAtOpen(events.map(readable), readUpTo, lastAtOpen);
    return found;
  };
}
