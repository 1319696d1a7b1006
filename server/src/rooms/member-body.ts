/** What the membership verbs take and what they put into the room. Specification: client-server-api, "Room membership". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { identifier } from "../validate.ts";
import type { MemberProfile } from "./rules/create.ts";
import type { Content } from "./rules/event.ts";
import { isUserId } from "./rules/identifiers.ts";
import type { Membership, RoomState } from "./state.ts";
import type { Proposal } from "./submit.ts";

export const reasonBody = z.looseObject({ reason: z.string().optional() });

/** The body of the verbs that act on somebody else. */
export const targetBody = z.looseObject({
  user_id: z.string().refine(isUserId, identifier("must be a user id")),
  reason: z.string().optional(),
});

/** Invitations by e-mail address or telephone number would need an identity server, and this server trusts none. */
export function refuseThirdParty(body: Record<string, unknown>): void {
  if (body["third_party_signed"] !== undefined)
    throw matrixError("M_THREEPID_DENIED", "This server does not take invitations through an identity server.");
}

/** The content of a membership event; what is absent or empty is left out. */
export function memberContent(
  membership: Membership,
  { displayname, avatar_url, reason }: MemberProfile & { reason?: string | undefined },
): Content {
  return {
    membership,
    ...(displayname && { displayname }),
    ...(avatar_url && { avatar_url }),
    ...(reason !== undefined && { reason }),
  };
}

/** A membership event for `target`, sent by `sender`. */
export function memberProposal(sender: string, target: string, content: Content): Proposal {
  return { sender, type: "m.room.member", state_key: target, content };
}

/** The event that made the person what they are in the room, for verbs that find their work done. */
export function currentMember(room: RoomState, userId: string): { already: string } {
  return { already: room.get("m.room.member", userId)?.event_id ?? "" };
}
