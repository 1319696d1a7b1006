/** What a `POST /createRoom` makes: the events of a new room, in their order. Specification: client-server-api, "Creation". */
import { matrixError } from "../../errors.ts";
import { authorise } from "./authorise.ts";
import { eventFault } from "./canonical.ts";
import type { CreateRoomBody, Preset } from "./create-body.ts";
import { initialLevels } from "./create-levels.ts";
import { stateMap } from "./event.ts";
import type { Content, ProposedEvent, RoomEvent, StateMap } from "./event.ts";
import { isRoomAlias } from "./identifiers.ts";
import { contentFault } from "./validate.ts";
import type { StateContent } from "./validate.ts";
import { faultError } from "./verdict.ts";
import type { Refusal } from "./verdict.ts";
import { defaultRoomVersion, roomIdFromCreate, roomVersion } from "./versions.ts";
import type { RoomVersion, RoomVersionId } from "./versions.ts";

/** What a membership event copies from a user's profile. */
export interface MemberProfile {
  readonly displayname?: string | undefined;
  readonly avatar_url?: string | undefined;
}

/** What a new room needs besides the request. */
export interface RoomSetup {
  readonly creator: string;
  /** The server's name: the domain of the alias, and of the room id up to version 11. */
  readonly serverName: string;
  /** The time that all events get. */
  readonly now_ms: number;
  /** Gives a new event id on every call: `$` and 43 url-safe characters. */
  newEventId(): string;
  /** Gives the local part of a room id. Called for version 11 only. */
  newRoomLocalpart(): string;
  readonly defaultVersion?: RoomVersionId;
  /** The profiles of the creator and of those who are invited, as far as they have one. */
  readonly profiles?: ReadonlyMap<string, MemberProfile>;
}

export interface RoomPlan {
  readonly room_id: string;
  readonly room_version: RoomVersionId;
  /** In the order in which they must be appended; each passes the rules on the state that the ones before it make. */
  readonly events: readonly RoomEvent[];
  /** The full alias that must be created for the room, when the request asked for one. */
  readonly alias: string | undefined;
}

/** The request with all that follows from it at once. */
interface Wish {
  readonly request: CreateRoomBody;
  readonly setup: RoomSetup;
  readonly version: RoomVersion;
  readonly preset: Preset;
  readonly invitees: readonly string[];
  readonly alias: string | undefined;
}

const PRESETS = {
  private_chat: { join_rule: "invite", guest_access: "can_join" },
  trusted_private_chat: { join_rule: "invite", guest_access: "can_join" },
  public_chat: { join_rule: "public", guest_access: "forbidden" },
} as const;

/**
 * The events that make the room of `request`. Throws `M_UNSUPPORTED_ROOM_VERSION`; `M_BAD_JSON`, `M_INVALID_PARAM` and
 * `M_TOO_LARGE` for malformed content; `M_INVALID_ROOM_STATE` when the parts do not go together; `M_FORBIDDEN` for an
 * invitation that the creator may not send; `M_THREEPID_DENIED` for invitations by e-mail address or telephone number.
 * Whether the alias is free, and whether those who are invited exist and want to be, the caller has to find out.
 */
export function planRoom(request: CreateRoomBody, setup: RoomSetup): RoomPlan {
  const wish = readWish(request, setup);
  const room = startRoom(wish);
  for (const draft of draftsOf(wish)) addDraft(room, draft);
  return { room_id: room.room_id, room_version: wish.version.id, events: room.events, alias: wish.alias };
}

function readWish(request: CreateRoomBody, setup: RoomSetup): Wish {
  const version = roomVersion(request.room_version ?? setup.defaultVersion ?? defaultRoomVersion);
  if (version === undefined) {
    throw matrixError("M_UNSUPPORTED_ROOM_VERSION", "This server does not support that room version.");
  }
  if (request.invite_3pid !== undefined && request.invite_3pid.length > 0) {
    throw matrixError("M_THREEPID_DENIED", "This server does not send invitations through an identity server.");
  }
  const preset = request.preset ?? (request.visibility === "public" ? "public_chat" : "private_chat");
  const alias = request.room_alias_name === undefined ? undefined : `#${request.room_alias_name}:${setup.serverName}`;
  if (alias !== undefined && (!isRoomAlias(alias) || request.room_alias_name?.includes(":") === true)) {
    throw matrixError("M_INVALID_PARAM", "The room_alias_name can not be the local part of a room alias.");
  }
  return { request, setup, version, preset, invitees: [...new Set(request.invite)], alias };
}

/** The room while it is being made. */
interface NewRoom {
  readonly room_id: string;
  readonly setup: RoomSetup;
  readonly events: RoomEvent[];
  readonly state: StateMap;
}

/** Makes the room with its create event. In version 12 the event's id gives the room its id, so it is authorised without one. */
function startRoom(wish: Wish): NewRoom {
  const { setup, version } = wish;
  const event_id = setup.newEventId();
  const room_id = version.roomIdFromCreate
    ? roomIdFromCreate(event_id)
    : `!${setup.newRoomLocalpart()}:${setup.serverName}`;
  const room: NewRoom = { room_id, setup, events: [], state: stateMap() };
  const event = { type: "m.room.create", state_key: "", sender: setup.creator, content: createContent(wish) };
  check(room, version.roomIdFromCreate ? event : { ...event, room_id });
  add(room, { ...event, room_id, event_id, origin_server_ts: setup.now_ms });
  return room;
}

/** `creator` is gone since version 11; in version 12 a trusted private chat makes creators of all who are invited. */
function createContent({ request, setup, version, preset, invitees }: Wish): Content {
  const { creator: _, ...rest } = request.creation_content ?? {};
  const content: Content = {
    ...rest,
    room_version: version.id,
    ...(version.namesCreator && { creator: setup.creator }),
  };
  if (!version.privilegedCreators || preset !== "trusted_private_chat" || invitees.length === 0) return content;
  const { additional_creators: given = [] } = content;
  // A value that is no list is left for rule 1.4 to refuse.
  if (!Array.isArray(given)) return content;
  return { ...content, additional_creators: [...new Set([...(given as unknown[]), ...invitees])] };
}

/** All events after the create event, in the order that the specification asks for. */
function draftsOf(wish: Wish): StateContent[] {
  const { request, setup, version, preset, invitees, alias } = wish;
  const override = request.power_level_content_override ?? {};
  const levels = initialLevels({ version, preset, creator: setup.creator, invitees, override });
  return [
    memberDraft(setup, setup.creator, { membership: "join" }),
    draft("m.room.power_levels", levels),
    ...(alias === undefined ? [] : [draft("m.room.canonical_alias", { alias })]),
    ...presetDrafts(wish),
    ...initialDrafts(request),
    ...nameAndTopic(request),
    ...inviteDrafts(wish),
  ];
}

function draft(type: string, content: Content): StateContent {
  return { type, state_key: "", content };
}

function memberDraft(setup: RoomSetup, userId: string, content: Content): StateContent {
  const { displayname, avatar_url } = setup.profiles?.get(userId) ?? {};
  const profile = { ...(displayname && { displayname }), ...(avatar_url && { avatar_url }) };
  return { type: "m.room.member", state_key: userId, content: { ...content, ...profile } };
}

/** The preset's events, without those that `initial_state` sets anyway. */
function presetDrafts({ request, preset }: Wish): StateContent[] {
  const { join_rule, guest_access } = PRESETS[preset];
  const events = [
    draft("m.room.join_rules", { join_rule }),
    draft("m.room.history_visibility", { history_visibility: "shared" }),
    draft("m.room.guest_access", { guest_access }),
  ];
  const isSet = ({ type }: StateContent): boolean =>
    request.initial_state?.some((event) => event.type === type && event.state_key === "") === true;
  return events.filter((event) => !isSet(event));
}

/**
 * The `initial_state`, without the name and the topic that the request's own keys overwrite. Of memberships it may hold
 * bans, as a room that replaces another takes them over; an invitation there would escape the checks that `invite` gets.
 */
function initialDrafts({ initial_state, name, topic }: CreateRoomBody): StateContent[] {
  const overwritten = new Set([
    ...(name === undefined ? [] : ["m.room.name"]),
    ...(topic === undefined ? [] : ["m.room.topic"]),
  ]);
  const kept = (initial_state ?? []).filter(({ type, state_key }) => state_key !== "" || !overwritten.has(type));
  for (const event of kept) {
    const fault = contentFault(event);
    if (fault !== undefined) throw faultError(fault);
    if (event.type === "m.room.member" && event.content.membership !== "ban") {
      throw matrixError("M_BAD_JSON", "The initial_state holds a membership that is no ban; name the user in invite.");
    }
  }
  return kept;
}

/** The topic stands in both forms: the plain one, and since specification 1.15 the one with a type for each text. */
function nameAndTopic({ name, topic }: CreateRoomBody): StateContent[] {
  const named = name === undefined ? [] : [draft("m.room.name", { name })];
  if (topic === undefined) return named;
  const block = { "m.text": [{ body: topic, mimetype: "text/plain" }] };
  return [...named, draft("m.room.topic", { topic, "m.topic": block })];
}

function inviteDrafts({ request, setup, invitees }: Wish): StateContent[] {
  const content = { membership: "invite", ...(request.is_direct === true && { is_direct: true }) };
  return invitees.map((userId) => memberDraft(setup, userId, content));
}

function addDraft(room: NewRoom, { type, state_key, content }: StateContent): void {
  const { room_id, setup } = room;
  const event = { type, state_key, sender: setup.creator, content, room_id };
  check(room, event);
  add(room, { ...event, event_id: setup.newEventId(), origin_server_ts: setup.now_ms });
}

function check(room: NewRoom, event: ProposedEvent): void {
  const verdict = authorise(room.state, event);
  if (!verdict.allowed) throw faultError(asCreateFault(event, verdict));
}

function add(room: NewRoom, event: RoomEvent): void {
  const fault = eventFault(event);
  if (fault !== undefined) throw faultError(fault);
  room.events.push(event);
  room.state.set(event);
}

/** What the creator may not do makes the wished-for state impossible; only an invitation stays a matter of permission. */
function asCreateFault({ type, content }: ProposedEvent, refusal: Refusal): Refusal {
  if (refusal.errcode !== "M_FORBIDDEN" && refusal.errcode !== "M_BAD_STATE") return refusal;
  if (type === "m.room.member" && content.membership === "invite") return refusal;
  return { ...refusal, errcode: "M_INVALID_ROOM_STATE" };
}
