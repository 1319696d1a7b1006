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
import { isWaiting } from "./items.ts";
import { listen } from "./listen.ts";

export function watchOutbox(client: MatrixClient): { store: StoreApi<number>; stop: () => void } {
  const waiting = new Map<MatrixEvent, Room>();
  const store = createStore<number>(() => 0);
  const note = (event: MatrixEvent, room: Room) => {
    if (isWaiting(event)) waiting.set(event, room);
    else waiting.delete(event);
    store.setState(waiting.size, true);
  };
  const sendAll = async () => {
    for (const [event, room] of waiting) {
      if (event.status !== EventStatus.NOT_SENT) continue;
      // One that fails again stays where it is, with its reason.
      await client.resendEvent(event, room).catch(() => undefined);
    }
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
    window.removeEventListener("online", online);
  };
  return { store, stop };
}
