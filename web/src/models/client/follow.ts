import {
  ClientEvent,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  type Room,
  RoomEvent,
  RoomStateEvent,
  type SyncState,
  ThreadEvent,
} from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { hasType } from "./events.ts";
import { listen } from "./listen.ts";

export interface Followers {
  /** Something that the timeline shows may be different. */
  changed: () => void;
  /** What is known of people's devices may be different. */
  trustChanged: () => void;
}

/** Calls back for whatever may change what a timeline shows; answers the function that stops it. */
export function follow(client: MatrixClient, room: Room, { changed, trustChanged }: Followers): () => void {
  const ofRoom = (_event: MatrixEvent, of?: Room) => {
    if (!of || of.roomId === room.roomId) changed();
  };
  const ofEvent = (event: MatrixEvent) => {
    if (event.getRoomId() === room.roomId) changed();
  };
  const stop = listen(client, {
    // What is on its way waits while there is no connection.
    [ClientEvent.Sync]: (state: SyncState, previous: SyncState | null) => state !== previous && changed(),
    [RoomEvent.Timeline]: ofRoom,
    [RoomEvent.TimelineReset]: (of: Room | undefined) => (!of || of.roomId === room.roomId) && changed(),
    [RoomEvent.LocalEchoUpdated]: ofRoom,
    [RoomEvent.Redaction]: ofRoom,
    [RoomEvent.Receipt]: ofRoom,
    // A room that becomes a direct one tells of its beginning in other words.
    [ClientEvent.AccountData]: (event: MatrixEvent) => hasType(event, EventType.Direct) && changed(),
    [RoomStateEvent.Members]: ofEvent,
    [MatrixEventEvent.Decrypted]: ofEvent,
    [MatrixEventEvent.Replaced]: ofEvent,
    [CryptoEvent.UserTrustStatusChanged]: trustChanged,
    [CryptoEvent.DevicesUpdated]: trustChanged,
  });
  // The client does not pass these on.
  const own = [ThreadEvent.New, ThreadEvent.Update, ThreadEvent.NewReply, RoomEvent.UnreadNotifications] as const;
  for (const name of own) room.on(name, changed);
  return () => {
    stop();
    for (const name of own) room.off(name, changed);
  };
}
