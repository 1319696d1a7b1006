import {
  ClientEvent,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  type Room,
  RoomEvent,
  RoomStateEvent,
  UserEvent,
} from "matrix-js-sdk";
import { createStore, type StoreApi } from "zustand/vanilla";
import { onDraftChange } from "../composer/storage.ts";
import type { RoomEntry, RoomsSnapshot } from "../rooms/entry.ts";
import { batched } from "./batch.ts";
import { directRooms } from "./direct.ts";
import { entryOf } from "./entries.ts";
import { hasType } from "./events.ts";
import { listen } from "./listen.ts";

/** The rooms of the sidebar. A change touches only the rows of the rooms that it is about. */
export function watchRooms(client: MatrixClient): { store: StoreApi<RoomsSnapshot>; stop: () => void } {
  const entries = new Map<string, RoomEntry>();
  const dirty = new Set<string>();
  let all = true;
  const rebuild = () => {
    const direct = directRooms(client);
    const rooms = all ? client.getVisibleRooms() : [...dirty].flatMap((id) => client.getRoom(id) ?? []);
    if (all) entries.clear();
    for (const id of dirty) entries.delete(id);
    for (const room of rooms) {
      const entry = entryOf(client, room, direct);
      if (entry) entries.set(room.roomId, entry);
    }
    all = false;
    dirty.clear();
    store.setState({ loaded: true, rooms: [...entries.values()] });
  };
  const store = createStore<RoomsSnapshot>(() => ({ loaded: false, rooms: [] }));
  const batch = batched(rebuild);
  const touch = (room: Room | string | undefined) => {
    if (!room) return;
    dirty.add(typeof room === "string" ? room : room.roomId);
    batch.soon();
  };
  const touchAll = () => {
    all = true;
    batch.soon();
  };
  rebuild();
  const stopListening = listen(client, listeners(client, { touch, touchAll }));
  const stopDrafts = onDraftChange(touch);
  const stop = () => {
    stopListening();
    stopDrafts();
    batch.stop();
  };
  return { store, stop };
}

interface Touch {
  touch: (room: Room | string | undefined) => void;
  touchAll: () => void;
}

function listeners(client: MatrixClient, { touch, touchAll }: Touch) {
  const ofEvent = (_event: MatrixEvent, room?: Room) => touch(room);
  return {
    [ClientEvent.Room]: touch,
    [ClientEvent.DeleteRoom]: touchAll,
    [ClientEvent.AccountData]: (event: MatrixEvent) => {
      if (hasType(event, EventType.Direct) || hasType(event, EventType.PushRules)) touchAll();
    },
    [RoomEvent.Name]: touch,
    [RoomEvent.MyMembership]: touch,
    [RoomEvent.Summary]: touchAll,
    [RoomEvent.UnreadNotifications]: () => touchAll(),
    [RoomEvent.Timeline]: ofEvent,
    [RoomEvent.Receipt]: ofEvent,
    [RoomEvent.Redaction]: ofEvent,
    [RoomStateEvent.Events]: (event: MatrixEvent) => touch(event.getRoomId()),
    [MatrixEventEvent.Decrypted]: (event: MatrixEvent) => touch(event.getRoomId()),
    [UserEvent.Presence]: (_event: MatrixEvent | undefined, user: { userId: string }) => {
      for (const [id, peer] of peers(client)) if (peer === user.userId) touch(id);
    },
  };
}

/** Which direct room is with whom, for changes of presence. */
function peers(client: MatrixClient): [string, string][] {
  const direct = client.getAccountData(EventType.Direct)?.getContent() ?? {};
  return Object.entries(direct).flatMap(([person, rooms]) =>
    Array.isArray(rooms) ? rooms.map((id): [string, string] => [String(id), person]) : [],
  );
}
