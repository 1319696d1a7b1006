/** How sure one can be of the people in a room (web specification, "Trust display"). */
import { JoinRule, type MatrixClient, type Room, type RoomMember } from "matrix-js-sdk";
import { count } from "../format/words.ts";
import type { TrustTag } from "../room/model.ts";
import { encryptionOf } from "./encryption.ts";
import { personIn } from "./person.ts";

/** A larger room is only said to be encrypted: nobody verifies fifty people. */
const LOOKED_AT = 50;

/** A room without encryption. One that anybody may join does not surprise by it, so it carries no tag. */
export function openTag(room: Room): TrustTag {
  const tone = room.getJoinRule() === JoinRule.Public ? "none" : "neutral";
  return { tone, text: "Not encrypted", detail: "The server can read what is written here." };
}

export const ENCRYPTED: TrustTag = {
  tone: "neutral",
  text: "Encrypted",
  detail: "Only the people here can read this. Verify them to be sure that they are who they say.",
};

const DENIED: TrustTag = {
  tone: "warn",
  text: "Encryption was taken away",
  detail:
    "The server says that this room is not encrypted any more, which no honest one does. Nothing is sent from here without encryption.",
};

/** The tag of a room: about everybody for whom the next message would be encrypted, whether or not they have shown themselves. */
export async function trustOf(client: MatrixClient, room: Room): Promise<TrustTag> {
  const encryption = await encryptionOf(client, room);
  if (encryption === "none") return openTag(room);
  if (encryption === "denied") return DENIED;
  const crypto = client.getCrypto();
  const me = client.getSafeUserId();
  if (!crypto || room.getInvitedAndJoinedMemberCount() > LOOKED_AT) return ENCRYPTED;
  if (room.getMyMembership() !== "join") return ENCRYPTED;
  const { readers, isWhole } = await readersOf(room);
  const others = readers.filter((member) => member.userId !== me);
  if (others.length === 0 || others.length > LOOKED_AT) return ENCRYPTED;
  const statuses = await Promise.all(
    others.map(async ({ userId }) => ({ userId, status: await crypto.getUserVerificationStatus(userId) })),
  );
  const changed = statuses.filter(
    ({ status }) => status.needsUserApproval || (status.wasCrossSigningVerified() && !status.isCrossSigningVerified()),
  );
  if (changed[0]) return warning(`${personIn(room, changed[0].userId).name} has a new identity`, changed.length);
  const stranger = await unsignedDevice(
    client,
    others.map((member) => member.userId),
  );
  if (stranger) return warning(`${personIn(room, stranger).name} has a new device`, 1);
  if (isWhole && statuses.every(({ status }) => status.isCrossSigningVerified()))
    return { tone: "ok", text: "Encrypted · all verified", detail: "You have verified everybody here." };
  return ENCRYPTED;
}

/** For whom the next message would be encrypted, and whether that is all of them: without a connection nobody knows. */
async function readersOf(room: Room): Promise<{ readers: RoomMember[]; isWhole: boolean }> {
  const isWhole = await room.loadMembersIfNeeded().then(
    () => true,
    () => false,
  );
  const invited = room.shouldEncryptForInvitedMembers() ? room.getMembersWithMembership("invite") : [];
  return { readers: [...room.getJoinedMembers(), ...invited], isWhole };
}

function warning(text: string, people: number): TrustTag {
  return {
    tone: "warn",
    text,
    detail: `Look at the members before you write what only they may know (${count(people, "person", "people")}).`,
  };
}

/** Somebody who uses a device that they have not confirmed themselves. */
async function unsignedDevice(client: MatrixClient, users: string[]): Promise<string | undefined> {
  const crypto = client.getCrypto();
  const devices = (await crypto?.getUserDeviceInfo(users)) ?? new Map<string, Map<string, unknown>>();
  for (const [userId, own] of devices) {
    for (const deviceId of own.keys()) {
      const status = await crypto?.getDeviceVerificationStatus(userId, deviceId);
      if (status && !status.signedByOwner) return userId;
    }
  }
  return undefined;
}
