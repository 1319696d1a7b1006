/** A changed profile on its way into the rooms. Specification: client-server-api, "Profiles", "Events on change of profile". */
import type { Context } from "../context.ts";
import { currentMember, memberProposal } from "./member-body.ts";
import { roomsWith, submitToEach } from "./membership.ts";
import type { MemberProfile } from "./rules/create.ts";
import { memberContentFromClient } from "./rules/validate.ts";
import type { RoomState } from "./state.ts";
import type { Already, Proposal } from "./submit.ts";

/**
 * Sends the person's membership event with the new name and picture to every room that they are in. A name or a picture that
 * the profile has not is taken out. Rooms that they leave meanwhile are passed over.
 */
export async function propagateProfile(ctx: Context, userId: string, profile: MemberProfile): Promise<void> {
  await submitToEach(ctx, {
    roomIds: await roomsWith(ctx, userId, ["join"]),
    propose: (room) => proposeProfile(room, { userId, profile }),
  });
}

/** The membership as it is, with the profile's name and picture in place of those that it has. */
function proposeProfile(
  room: RoomState,
  { userId, profile }: { userId: string; profile: MemberProfile },
): Proposal | Already {
  const current = room.get("m.room.member", userId);
  if (!current || room.membership(userId) !== "join") return currentMember(room, userId);
  const { displayname, avatar_url, reason: _, ...rest } = memberContentFromClient(current.content);
  if (displayname === profile.displayname && avatar_url === profile.avatar_url) return currentMember(room, userId);
  return memberProposal(userId, userId, {
    ...rest,
    ...(profile.displayname && { displayname: profile.displayname }),
    ...(profile.avatar_url && { avatar_url: profile.avatar_url }),
  });
}
