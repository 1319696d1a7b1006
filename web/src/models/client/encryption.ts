/** Whether a room is encrypted. Once it is it stays so: the device remembers, whatever the server says later. */
import { EventType, type MatrixClient, type Room } from "matrix-js-sdk";

const ALGORITHM = "m.megolm.v1.aes-sha2";

export type Encryption =
  | "none"
  | "on"
  /** It was, or says that it is, and not by a way that anybody can read. The SDK sends nothing in clear there either. */
  | "denied";

export async function encryptionOf(client: MatrixClient, room: Room): Promise<Encryption> {
  const state = room.currentState.getStateEvents(EventType.RoomEncryption, "");
  if (state?.getContent()["algorithm"] === ALGORITHM) return "on";
  if (state) return "denied";
  return (await client.getCrypto()?.isEncryptionEnabledInRoom(room.roomId)) ? "denied" : "none";
}
