/** Rule 5: who may change whose membership, and to what. Rule numbers are those of room version 12. */
import type { ProposedEvent, RoomEvent, RoomStateView } from "./event.ts";
import { isUserId, serverNameOf } from "./identifiers.ts";
import { isRestricted, knownJoinRule, mayAuthoriseJoin, mayBeKnockedOn, membershipOf } from "./join-rules.ts";
import { powerOf, requiredFor } from "./power.ts";
import { ALLOWED, refuse } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

const VIA = "join_authorised_via_users_server";

export interface MembershipRequest {
  readonly state: RoomStateView;
  readonly create: RoomEvent;
  readonly event: ProposedEvent;
  /** See `Facts` in authorise.ts. */
  readonly meetsAllowCondition: boolean;
}

/** The request with the two users that it is about: who acts, and on whom. */
interface Change extends MembershipRequest {
  readonly sender: string;
  readonly target: string;
}

/** Whether the `m.room.member` event may enter the room. */
export function authoriseMembership(request: MembershipRequest): Verdict {
  const { content, sender, state_key: target } = request.event;
  if (target === undefined || content.membership === undefined) {
    return refuse(
      "5.1",
      "A membership event names a user as its state_key and a membership in its content.",
      "M_BAD_JSON",
    );
  }
  if (Object.hasOwn(content, VIA) && !isVouchedFor(request)) {
    return refuse("5.2.1", "The server has not confirmed that the user meets a condition for joining this room.");
  }
  const change = { ...request, sender, target };
  switch (content.membership) {
    case "join":
      return authoriseJoin(change);
    case "invite":
      return authoriseInvite(change);
    case "leave":
      return authoriseLeave(change);
    case "ban":
      return authoriseBan(change);
    case "knock":
      return authoriseKnock(change);
    default:
      return refuse("5.8", "The membership is none of join, invite, leave, ban and knock.", "M_BAD_JSON");
  }
}

/**
 * Rule 5.2 asks for the signature of the server of the user who vouches. With one server that signature is the server's
 * own word that the joining user meets a condition, so a user of another server can not be named.
 */
function isVouchedFor({ event, meetsAllowCondition }: MembershipRequest): boolean {
  const via = event.content[VIA];
  return meetsAllowCondition && isUserId(via) && serverNameOf(via) === serverNameOf(event.sender);
}

/** Rule 5.3. */
function authoriseJoin({ state, create, event, sender, target }: Change): Verdict {
  const current = membershipOf(state, target);
  // 5.3.1 says "the only previous event is the create event". That is so exactly when the creator has no membership yet:
  // in a room of that one event nothing else is allowed, and memberships are never taken out of the state again.
  if (current === undefined && target === create.sender && sender === target) return ALLOWED;
  if (sender !== target) return refuse("5.3.2", "Nobody can join a room for another user.");
  if (current === "ban") return refuse("5.3.3", "You are banned from this room.");

  const isExpected = current === "invite" || current === "join";
  const rule = knownJoinRule(state);
  if (rule === "invite" || rule === "knock") {
    return isExpected ? ALLOWED : refuse("5.3.4", "You are not invited to this room.");
  }
  if (isRestricted(state)) {
    if (isExpected) return ALLOWED;
    const via = event.content[VIA];
    if (typeof via === "string" && mayAuthoriseJoin(state, via)) return ALLOWED;
    return refuse("5.3.5.2", "You are not invited to this room, and no member who may invite has authorised the join.");
  }
  return rule === "public" ? ALLOWED : refuse("5.3.7", "The join rule of this room lets nobody in.");
}

/** Rule 5.4. Invitations by e-mail address or telephone number need an identity server, and this server trusts none. */
function authoriseInvite({ state, event, sender, target }: Change): Verdict {
  if (Object.hasOwn(event.content, "third_party_invite")) {
    return refuse("5.4.1", "This server does not accept invitations through an identity server.");
  }
  if (membershipOf(state, sender) !== "join") return refuse("5.4.2", "You are not in this room.");
  const current = membershipOf(state, target);
  if (current === "join") return refuse("5.4.3", "The user is already in this room.");
  if (current === "ban") return refuse("5.4.3", "The user is banned from this room.");
  if (powerOf(state, sender) >= requiredFor(state, "invite")) return ALLOWED;
  return refuse("5.4.5", "You do not have the power to invite to this room.");
}

/** Rule 5.5: leaving, declining an invitation, withdrawing a knock; of others: kicking, revoking, unbanning. */
function authoriseLeave({ state, sender, target }: Change): Verdict {
  const current = membershipOf(state, target);
  if (sender === target) {
    if (current === "invite" || current === "join" || current === "knock") return ALLOWED;
    return refuse("5.5.1", "You are not in this room.");
  }
  if (membershipOf(state, sender) !== "join") return refuse("5.5.2", "You are not in this room.");
  const power = powerOf(state, sender);
  if (current === "ban" && power < requiredFor(state, "ban")) {
    return refuse("5.5.3", "You do not have the power to lift a ban in this room.");
  }
  if (power >= requiredFor(state, "kick") && powerOf(state, target) < power) return ALLOWED;
  return refuse("5.5.5", "You do not have the power to remove this user from the room.");
}

/** Rule 5.6. */
function authoriseBan({ state, sender, target }: Change): Verdict {
  if (membershipOf(state, sender) !== "join") return refuse("5.6.1", "You are not in this room.");
  const power = powerOf(state, sender);
  if (power >= requiredFor(state, "ban") && powerOf(state, target) < power) return ALLOWED;
  return refuse("5.6.3", "You do not have the power to ban this user from the room.");
}

/** Rule 5.7. */
function authoriseKnock({ state, sender, target }: Change): Verdict {
  if (!mayBeKnockedOn(state)) return refuse("5.7.1", "This room does not take requests to join.");
  if (sender !== target) return refuse("5.7.2", "Nobody can ask to join a room for another user.");
  const current = membershipOf(state, sender);
  if (current === "ban") return refuse("5.7.4", "You are banned from this room.");
  if (current === "invite") return refuse("5.7.4", "You are already invited to this room.");
  return current === "join" ? refuse("5.7.4", "You are already in this room.") : ALLOWED;
}
