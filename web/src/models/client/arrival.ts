/** A room that was just made or joined is known here only when the sync has brought it. */
import { ClientEvent, type MatrixClient, RoomEvent } from "matrix-js-sdk";
import { listen } from "./listen.ts";

/** After this the room is opened all the same; it appears as soon as it arrives. */
const PATIENCE_MS = 10_000;

/** Resolves when the person is in the room as far as this device knows. */
export function arrived(client: MatrixClient, roomId: string): Promise<void> {
  return new Promise((resolve) => {
    const isHere = () => client.getRoom(roomId)?.getMyMembership() === "join";
    if (isHere()) return resolve();
    const look = () => {
      if (isHere()) finish();
    };
    const stop = listen(client, { [ClientEvent.Room]: look, [RoomEvent.MyMembership]: look });
    const timer = setTimeout(() => finish(), PATIENCE_MS);
    const finish = () => {
      stop();
      clearTimeout(timer);
      resolve();
    };
  });
}
