import { isObject } from "./event.ts";
import type { RoomStateView } from "./event.ts";
import { isRoomId } from "./identifiers.ts";
import { powerOf, requiredFor } from "./power.ts";
import { versionOf } from "./versions.ts";

export const joinRules = ["public", "invite", "knock", "restricted", "knock_restricted", "private"] as const;

/** The room's join rule. A room without one can be joined by invitation only; unknown rules let nobody in. */
export function joinRuleOf(state: RoomStateView): unknown {
  const event = state.get("m.room.join_rules", "");
  return event === undefined ? "invite" : event.content.join_rule;
}

/** The join rule, if it is one that the room's version knows; what it does not know lets nobody in. */
export function knownJoinRule(state: RoomStateView): unknown {
  const rule = joinRuleOf(state);
  const create = state.get("m.room.create", "");
  return create !== undefined && versionOf(create)?.joinRules.has(rule) === true ? rule : undefined;
}

/** Whether members of other rooms may join this one (`restricted` and `knock_restricted`). */
export function isRestricted(state: RoomStateView): boolean {
  const rule = knownJoinRule(state);
  return rule === "restricted" || rule === "knock_restricted";
}

/** Whether strangers may ask to be let in (`knock` and `knock_restricted`). */
export function mayBeKnockedOn(state: RoomStateView): boolean {
  const rule = knownJoinRule(state);
  return rule === "knock" || rule === "knock_restricted";
}

/**
 * The rooms whose joined members may join this one. Empty unless the join rule is a restricted one; malformed and
 * unknown conditions count for nothing. Specification: client-server-api, "Restricted rooms".
 */
export function allowedRooms(state: RoomStateView): string[] {
  const allow = isRestricted(state) ? state.get("m.room.join_rules", "")?.content.allow : undefined;
  if (!Array.isArray(allow)) return [];
  return allow
    .filter((condition) => isObject(condition) && condition.type === "m.room_membership")
    .map((condition: { room_id?: unknown }) => condition.room_id)
    .filter(isRoomId);
}

/** The user's membership, or undefined when the room never had one for them. */
export function membershipOf(state: RoomStateView, userId: string): unknown {
  return state.get("m.room.member", userId)?.content.membership;
}

/** Whether a user may vouch for the restricted join of another: a joined member who could have invited them. */
export function mayAuthoriseJoin(state: RoomStateView, userId: string): boolean {
  return membershipOf(state, userId) === "join" && powerOf(state, userId) >= requiredFor(state, "invite");
}

/**
 * The user to name in `join_authorised_via_users_server` of a restricted join: the first of `candidates` who may vouch
 * for it. Undefined when none may; then the join fails with `M_UNABLE_TO_GRANT_JOIN`.
 */
export function authorisingUser(state: RoomStateView, candidates: Iterable<string>): string | undefined {
  for (const userId of candidates) if (mayAuthoriseJoin(state, userId)) return userId;
  return undefined;
}
