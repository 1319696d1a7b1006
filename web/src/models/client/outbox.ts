/** Messages that wait for the connection: counted, and sent again in their order when it is back. */
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

/** `store` holds how many messages have not reached the server. */
export function watchOutbox(client: MatrixClient): { store: StoreApi<number>; stop: () => void } {
  const unsent = new Map<MatrixEvent, Room>();
  const store = createStore<number>(() => 0);
  let busy = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const sendAll = async () => {
    if (busy || !navigator.onLine) return;
    busy = true;
    for (const [event, room] of unsent) {
      // One that fails again stays where it is, with its reason.
      if (isWaiting(event)) await client.resendEvent(event, room).catch(() => undefined);
    }
    busy = false;
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void sendAll(), AGAIN_MS);
  };
  const note = (event: MatrixEvent, room: Room) => {
    if (isUnsent(event)) unsent.set(event, room);
    else unsent.delete(event);
    store.setState(unsent.size, true);
    if (isWaiting(event) && client.getSyncState() === SyncState.Syncing) later();
  };
  const online = () => void sendAll();
  window.addEventListener("online", online);
  const stopListening = listen(client, {
    [RoomEvent.LocalEchoUpdated]: note,
    [ClientEvent.Sync]: (state: SyncState, previous: SyncState | null) => {
      if (state === SyncState.Syncing && previous !== SyncState.Syncing) void sendAll();
    },
  });
  const stop = () => {
    stopListening();
    clearTimeout(timer);
    window.removeEventListener("online", online);
  };
  return { store, stop };
}

/** On its way or waiting; what the server has refused waits for nothing. */
function isUnsent(event: MatrixEvent): boolean {
  if (event.status === null || event.status === EventStatus.SENT || event.status === EventStatus.CANCELLED)
    return false;
  return event.status !== EventStatus.NOT_SENT || isWaiting(event);
}
