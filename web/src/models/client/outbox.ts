/** Messages on their way: shown until the sync has brought them, counted while they wait, and sent again in their order. */
import {
  ClientEvent,
  EventStatus,
  type MatrixClient,
  type MatrixEvent,
  type Room,
  RoomEvent,
  SyncState,
} from "matrix-js-sdk";
import { createStore, type StoreApi } from "zustand/vanilla";
import { isPassing, isWaiting } from "./events.ts";
import { listen } from "./listen.ts";
import { openPlaces, type Places } from "./places.ts";

/** A message that failed while the connection seems to be there is tried again after this. */
const AGAIN_MS = 5_000;

/** What becomes a message when its turn comes: a file. */
export interface Parcel {
  /** Of the message that it becomes. */
  txnId: string;
  room: Room;
  /** `waiting` is sent by itself, `refused` only when the person says so. */
  state(): "waiting" | "sending" | "refused";
  /** Tries it once, to the end of its message's first attempt. Never rejects: afterwards it waits on, or was refused. */
  send(): Promise<void>;
}

export interface Outbox extends Pick<Places, "placed"> {
  /** How many messages have not reached the server; what it has refused waits for nothing. */
  store: StoreApi<number>;
  /**
   * What was written in the room and has not come back from the server yet, refused or not, in the order of writing. The SDK's own
   * timelines lose it: those of threads never have it, and a room's is emptied after a long time away.
   */
  of(roomId: string): MatrixEvent[];
  /** What the server does not have, in all rooms: on its way, waiting or refused. */
  unsent(): object[];
  /** Takes care of a message that was on its way before this was opened. */
  take(event: MatrixEvent, room: Room): void;
  /** Takes a file, which is sent after what waits in its room already; one that was refused, once more and in its old place. */
  put(parcel: Parcel): void;
  /** Gives up a file that has not become a message. */
  drop(parcel: Parcel): void;
  /** Whether the last attempt in the room failed for want of a connection. */
  isHeldUp(room: Room): boolean;
  /** Tries everything that waits, or only what does in this room: rooms side by side, and in each one after the other. */
  send(only?: Room): Promise<void>;
  stop(): void;
}

/** One thing on its way, first as a parcel if it is one. Both have the same transaction id, and so the same place. */
interface Entry {
  room: Room;
  event?: MatrixEvent;
  parcel?: Parcel;
}

export function watchOutbox(client: MatrixClient): Outbox {
  const entries = new Map<string, Entry>();
  const store = createStore<number>(() => 0);
  const places = openPlaces();
  const busy = new Set<Room>();
  const heldUp = new Set<Room>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  const recount = () => store.setState([...entries.values()].filter(counts).length, true);
  const later = () => {
    clearTimeout(timer);
    if (!isStopped && client.getSyncState() === SyncState.Syncing) timer = setTimeout(() => void send(), AGAIN_MS);
  };
  const waitingIn = (room: Room) => [...entries.values()].filter((entry) => entry.room === room && waits(entry));
  const sendIn = async (room: Room) => {
    if (busy.has(room) || !navigator.onLine) return;
    busy.add(room);
    const tried = new Set<Entry>();
    const next = () => (isStopped ? undefined : waitingIn(room).find((entry) => !tried.has(entry)));
    for (let entry = next(); entry; entry = next()) {
      tried.add(entry);
      await attempt(client, entry);
      recount();
      heldUp.delete(room);
      // What was written after it would overtake it.
      if (isHeldUp(entry)) heldUp.add(room);
      if (heldUp.has(room)) break;
    }
    busy.delete(room);
    if (waitingIn(room).length > 0) later();
  };
  const send = async (only?: Room) => {
    await Promise.all((only ? [only] : roomsOf(entries)).map(sendIn));
  };
  const take = (event: MatrixEvent, room: Room) => {
    const key = keyOf(event);
    const known = entries.get(key);
    places.written(key, false);
    if (hasArrived(event)) places.taken(key);
    if (event.status === null || event.status === EventStatus.CANCELLED) entries.delete(key);
    else if (known) Object.assign(known, { event, parcel: undefined });
    else entries.set(key, { room, event });
    recount();
    if (isWaiting(event)) later();
  };
  const stopFollowing = follow(client, { take, send, entries });
  return {
    store,
    placed: (events) => places.placed(events),
    of: (roomId) => eventsIn(entries, roomId),
    unsent: () => [...entries.values()].flatMap(unsentOf),
    take,
    put(parcel) {
      places.written(parcel.txnId, true);
      entries.set(parcel.txnId, { room: parcel.room, parcel });
      recount();
    },
    drop(parcel) {
      if (entries.get(parcel.txnId)?.parcel === parcel) entries.delete(parcel.txnId);
      recount();
    },
    isHeldUp: (room) => heldUp.has(room),
    send,
    stop() {
      isStopped = true;
      stopFollowing();
      clearTimeout(timer);
    },
  };
}

function roomsOf(entries: Map<string, Entry>): Room[] {
  return [...new Set([...entries.values()].map(({ room }) => room))];
}

function eventsIn(entries: Map<string, Entry>, roomId: string): MatrixEvent[] {
  return [...entries.values()].flatMap(({ event, room }) => (event && room.roomId === roomId ? [event] : []));
}

function unsentOf({ event, parcel }: Entry): object | [] {
  return event?.status === EventStatus.SENT ? [] : (event ?? parcel ?? []);
}

function hasArrived({ status }: MatrixEvent): boolean {
  return status === null || status === EventStatus.SENT;
}

interface Following extends Pick<Outbox, "take" | "send"> {
  entries: Map<string, Entry>;
}

function follow(client: MatrixClient, { take, send, entries }: Following): () => void {
  // What the server has by then stands in what is loaded from it.
  const onReset = (of: Room | undefined) => {
    for (const [key, { event, room }] of entries)
      if (room.roomId === of?.roomId && event?.status === EventStatus.SENT) entries.delete(key);
  };
  const online = () => void send();
  window.addEventListener("online", online);
  const stopListening = listen(client, {
    [RoomEvent.LocalEchoUpdated]: take,
    [RoomEvent.TimelineReset]: onReset,
    [ClientEvent.Sync]: (state: SyncState, previous: SyncState | null) => {
      if (state === SyncState.Syncing && previous !== SyncState.Syncing) void send();
    },
  });
  return () => {
    stopListening();
    window.removeEventListener("online", online);
  };
}

function keyOf(event: MatrixEvent): string {
  return event.getTxnId() ?? event.getId() ?? "";
}

async function attempt(client: MatrixClient, { event, parcel, room }: Entry): Promise<void> {
  // One that fails again stays where it is, with its reason.
  if (event) await client.resendEvent(event, room).catch(() => undefined);
  else await parcel?.send();
}

function waits({ event, parcel }: Entry): boolean {
  return event ? isWaiting(event) : parcel?.state() === "waiting";
}

/** It waits still, and not for a reason of its own. */
function isHeldUp(entry: Entry): boolean {
  const { event } = entry;
  return waits(entry) && (!event || (event.error !== null && isPassing(event.error)));
}

/** On its way or waiting. */
function counts({ event, parcel }: Entry): boolean {
  if (!event) return parcel?.state() !== "refused";
  if (event.status === EventStatus.SENT) return false;
  return event.status !== EventStatus.NOT_SENT || isWaiting(event);
}
