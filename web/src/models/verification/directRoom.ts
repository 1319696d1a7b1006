/** The direct conversation in which two people verify each other. */
import { EventType, type ICreateRoomOpts, type MatrixClient, Preset } from "matrix-js-sdk";

type DirectRooms = Record<string, string[]>;

/** The room of the direct conversation with `userId`; makes an encrypted one when there is none (section "Direct Messaging"). */
export async function directRoomWith(client: MatrixClient, userId: string): Promise<string> {
  const direct = client.getAccountData(EventType.Direct)?.getContent<DirectRooms>() ?? {};
  const known = direct[userId]?.find((roomId) => isJoinedByBoth(client, roomId, userId));
  if (known) return known;
  const { room_id: roomId } = await client.createRoom(directRoomOptions(userId));
  await client.setAccountData(EventType.Direct, { ...direct, [userId]: [...(direct[userId] ?? []), roomId] });
  return roomId;
}

function isJoinedByBoth(client: MatrixClient, roomId: string, userId: string): boolean {
  const room = client.getRoom(roomId);
  const membership = room?.getMember(userId)?.membership;
  return room?.getMyMembership() === "join" && (membership === "join" || membership === "invite");
}

function directRoomOptions(userId: string): ICreateRoomOpts {
  return {
    is_direct: true,
    invite: [userId],
    preset: Preset.TrustedPrivateChat,
    initial_state: [{ type: EventType.RoomEncryption, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
  };
}
