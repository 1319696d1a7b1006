/**
 * The authorisation rules of all room versions: whether an event may enter a room. Rule numbers are those of
 * version 12. Rules about `prev_events`, `auth_events` and signatures speak of rooms with many servers. Here a room is
 * one line of events with one state, so they become questions to that state; each says below what it became.
 */
import type { ProposedEvent, RoomEvent, RoomStateView } from "./event.ts";
import { isUserId, serverNameOf } from "./identifiers.ts";
import { membershipOf } from "./join-rules.ts";
import { authoriseMembership } from "./membership.ts";
import { authorisePowerLevels } from "./power-levels.ts";
import { powerOf, requiredFor, requiredPower } from "./power.ts";
import { authoriseRedaction } from "./redact.ts";
import { ALLOWED, refuse } from "./verdict.ts";
import type { Refusal, Verdict } from "./verdict.ts";
import { roomIdFromCreate, versionNamedIn, versionOf } from "./versions.ts";

/** What the room's own state can not tell. Whatever is left out counts against the event. */
export interface Facts {
  /** The server has found that the joining user is a joined member of one of the `allowedRooms`. */
  readonly meetsAllowCondition?: boolean;
  /** The event of this room that an `m.room.redaction` names. */
  readonly redactionTarget?: RoomEvent | undefined;
}

const NO_FACTS: Facts = Object.freeze({});

/**
 * Whether `event` may be appended to the room whose current state is `state`. It reads and decides; it changes nothing,
 * waits for nothing, and does not look at sizes or at the shape of contents that authorisation does not read.
 */
export function authorise(state: RoomStateView, event: ProposedEvent, facts: Facts = NO_FACTS): Verdict {
  const create = state.get("m.room.create", "");
  if (event.type === "m.room.create") return authoriseCreate(create, event);
  if (create === undefined) return refuse("2", "This room has not been created.", "M_NOT_FOUND");
  const refusal = checkRoom(create, event);
  if (refusal !== undefined) return refusal;
  if (event.type === "m.room.member") {
    return authoriseMembership({ state, create, event, meetsAllowCondition: facts.meetsAllowCondition === true });
  }
  if (membershipOf(state, event.sender) !== "join") return refuse("6", "You are not in this room.");
  if (event.type === "m.room.third_party_invite") return authoriseThirdPartyInvite(state, event);
  if (requiredPower(state, event.type, event.state_key !== undefined) > powerOf(state, event.sender)) {
    return refuse("8", `You do not have the power to send ${event.type} in this room.`);
  }
  if (event.state_key?.startsWith("@") === true && event.state_key !== event.sender) {
    return refuse("9", "A state_key that is a user id belongs to that user.");
  }
  if (event.type === "m.room.power_levels") return authorisePowerLevels({ state, create, event });
  if (event.type === "m.room.redaction") return authoriseRedaction(state, event, facts.redactionTarget);
  return ALLOWED;
}

/** Rule 1. An event before the create event (`prev_events`) means here that the room has a create event already. */
function authoriseCreate(existing: RoomEvent | undefined, event: ProposedEvent): Verdict {
  if (existing !== undefined) return refuse("1.1", "A room is created once.", "M_BAD_STATE");
  if (event.state_key !== "") return refuse("1", "A create event has an empty state_key.", "M_BAD_JSON");
  const version = versionNamedIn(event.content);
  if (version === undefined) {
    return refuse("1.3", "This server does not support that room version.", "M_UNSUPPORTED_ROOM_VERSION");
  }
  if (version.roomIdFromCreate) {
    if (event.room_id !== undefined)
      return refuse("1.2", "The create event gives the room its id and has none itself.");
  } else if (event.room_id === undefined || serverNameOf(event.room_id) !== serverNameOf(event.sender)) {
    return refuse("1.2", "The room id does not carry the name of the creator's server.");
  }
  if (version.namesCreator && !Object.hasOwn(event.content, "creator"))
    return refuse("1.4", "The create event of this version names its creator.", "M_BAD_JSON");
  if (version.privilegedCreators && !hasValidCreators(event)) {
    return refuse("1.4", "The additional_creators are not a list of user ids.", "M_BAD_JSON");
  }
  return ALLOWED;
}

function hasValidCreators({ content }: ProposedEvent): boolean {
  if (!Object.hasOwn(content, "additional_creators")) return true;
  return Array.isArray(content.additional_creators) && content.additional_creators.every(isUserId);
}

/** Rules 2 and 4; and for version 11 the part of rule 3 that asks for one room id. */
function checkRoom(create: RoomEvent, event: ProposedEvent): Refusal | undefined {
  const version = versionOf(create);
  if (version === undefined) return refuse("1.3", "This server does not support the version of this room.");
  const roomId = version.roomIdFromCreate ? roomIdFromCreate(create.event_id) : create.room_id;
  if (event.room_id !== roomId) return refuse("2", "The event belongs to another room.");
  if (create.content["m.federate"] !== false) return undefined;
  if (serverNameOf(event.sender) === serverNameOf(create.sender)) return undefined;
  return refuse("4", "Only users of the creator's server may take part in this room.");
}

/** Rule 7, which goes by the invite level and by nothing else. */
function authoriseThirdPartyInvite(state: RoomStateView, event: ProposedEvent): Verdict {
  if (powerOf(state, event.sender) >= requiredFor(state, "invite")) return ALLOWED;
  return refuse("7.1", "You do not have the power to invite to this room.");
}
