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
import { isWaiting } from "./events.ts";
import { listen } from "./listen.ts";

/** A message that failed while the connection seems to be there is tried again after this. */
const AGAIN_MS = 5_000;

export interface Outbox {
  /** How many messages have not reached the server; what it has refused waits for nothing. */
  store: StoreApi<number>;
  /**
   * What was written in the room and has not come back from the server yet, refused or not, in the order of writing. The SDK's own
   * timelines lose it: those of threads never have it, and a room's is emptied after a long time away.
   */
  of(roomId: string): MatrixEvent[];
  /** What the server does not have, in all rooms: on its way, waiting or refused. */
  unsent(): MatrixEvent[];
  /** Takes care of a message that was on its way before this was opened. */
  take(event: MatrixEvent, room: Room): void;
  /** Tries everything that waits. */
  send(): Promise<void>;
  stop(): void;
}

export function watchOutbox(client: MatrixClient): Outbox {
  const pending = new Map<MatrixEvent, Room>();
  const store = createStore<number>(() => 0);
  let busy = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const send = async () => {
    if (busy || !navigator.onLine) return;
    busy = true;
    for (const [event, room] of pending) {
      // One that fails again stays where it is, with its reason.
      if (isWaiting(event)) await client.resendEvent(event, room).catch(() => undefined);
    }
    busy = false;
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void send(), AGAIN_MS);
  };
  const take = (event: MatrixEvent, room: Room) => {
    if (event.status === null || event.status === EventStatus.CANCELLED) pending.delete(event);
    else pending.set(event, room);
    store.setState([...pending.keys()].filter(isUnsent).length, true);
    if (isWaiting(event) && client.getSyncState() === SyncState.Syncing) later();
  };
  // What the server has by then stands in what is loaded from it.
  const onReset = (of: Room | undefined) => {
    for (const [event, room] of pending)
      if (room.roomId === of?.roomId && event.status === EventStatus.SENT) pending.delete(event);
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
  const stop = () => {
    stopListening();
    clearTimeout(timer);
    window.removeEventListener("online", online);
  };
  const of = (roomId: string) => [...pending].flatMap(([event, room]) => (room.roomId === roomId ? [event] : []));
  const unsent = () => [...pending.keys()].filter(({ status }) => status !== EventStatus.SENT);
  return { store, of, unsent, take, send, stop };
}

/** On its way or waiting. */
function isUnsent(event: MatrixEvent): boolean {
  if (event.status === EventStatus.SENT) return false;
  return event.status !== EventStatus.NOT_SENT || isWaiting(event);
}
