import { createContext, useContext, useEffect } from "react";
import { useStore } from "zustand";
import type { Messenger, Store } from "../models/messenger.ts";
import type { RoomModel } from "../models/room/model.ts";

/** The messenger of the session that is open; everything under the shell may use it. */
export const MessengerContext = createContext<Messenger | null>(null);

export function useMessenger(): Messenger {
  const messenger = useContext(MessengerContext);
  if (!messenger) throw new Error("this view stands outside of the messenger's shell");
  return messenger;
}

/** The snapshot of a store; the view is drawn again when it changes. */
export function useSnapshot<T>(store: Store<T>): T {
  return useStore(store);
}

/** A model that listens only while it is on the screen. */
export function useActive(model: { activate(): () => void } | null): void {
  useEffect(() => model?.activate(), [model]);
}

/** The model of the room, or null for a room that the person is not in; asked again whenever the rooms change. */
export function useRoom(roomId: string): RoomModel | null {
  const messenger = useMessenger();
  return useStore(messenger.rooms, () => messenger.room(roomId));
}
