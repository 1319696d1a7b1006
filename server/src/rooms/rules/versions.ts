import type { Content, RoomEvent } from "./event.ts";

/** The room versions whose rules this server keeps. Rooms of any other version are refused. */
export const supportedRoomVersions = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"] as const;

export type RoomVersionId = (typeof supportedRoomVersions)[number];

/** The version of a new room when the client names none. Specification: rooms, "Complete list of room versions". */
export const defaultRoomVersion: RoomVersionId = "12";

/** In what the versions differ for people on one server: everything else in this folder is the same for all of them. */
export interface RoomVersion {
  readonly id: RoomVersionId;
  /** From 12: creators have infinite power, may be several (`additional_creators`), and may not appear among the `users`. */
  readonly privilegedCreators: boolean;
  /** From 12: the room id is the id of the create event with `!` for `$`; otherwise it carries the server's name. */
  readonly roomIdFromCreate: boolean;
  /** Up to 10: the create event names its sender as `creator`. */
  readonly namesCreator: boolean;
  /** Up to 9: a power level may be a text that is an integer. */
  readonly hasLevelsAsTexts: boolean;
  /** From 6: the levels of `notifications` are guarded like those of `events`. */
  readonly guardsNotifications: boolean;
  /** The join rules that mean something here: `knock` from 7, `restricted` from 8, both in one from 10. */
  readonly joinRules: ReadonlySet<unknown>;
  /** What a redaction leaves of the content, by event type; of a type that is not listed, nothing. */
  readonly keptByRedaction: ReadonlyMap<string, readonly string[]>;
  /** From 11: a redaction leaves all of a create event, and the `signed` of an invitation through an identity server. */
  readonly keepsCreateWhole: boolean;
}

const LEVELS = ["ban", "events", "events_default", "kick", "redact", "state_default", "users", "users_default"];

function keptIn(version: number): ReadonlyMap<string, readonly string[]> {
  return new Map<string, readonly string[]>([
    ["m.room.create", ["creator"]],
    ["m.room.member", version < 9 ? ["membership"] : ["membership", "join_authorised_via_users_server"]],
    ["m.room.join_rules", version < 8 ? ["join_rule"] : ["join_rule", "allow"]],
    ["m.room.power_levels", version < 11 ? LEVELS : [...LEVELS, "invite"]],
    ["m.room.history_visibility", ["history_visibility"]],
    ...(version < 6 ? [["m.room.aliases", ["aliases"]] as const] : []),
    ...(version < 11 ? [] : [["m.room.redaction", ["redacts"]] as const]),
  ]);
}

function joinRulesOf(version: number): ReadonlySet<string> {
  const since = { public: 1, invite: 1, knock: 7, restricted: 8, knock_restricted: 10 };
  return new Set(Object.entries(since).flatMap(([rule, first]) => (version >= first ? [rule] : [])));
}

function rulesOf(id: RoomVersionId): RoomVersion {
  const version = Number(id);
  return {
    id,
    privilegedCreators: version >= 12,
    roomIdFromCreate: version >= 12,
    namesCreator: version < 11,
    hasLevelsAsTexts: version < 10,
    guardsNotifications: version >= 6,
    joinRules: joinRulesOf(version),
    keptByRedaction: keptIn(version),
    keepsCreateWhole: version >= 11,
  };
}

const VERSIONS: ReadonlyMap<unknown, RoomVersion> = new Map(supportedRoomVersions.map((id) => [id, rulesOf(id)]));

/** The rules for a version id, or undefined when this server does not support it. */
export function roomVersion(id: unknown): RoomVersion | undefined {
  return VERSIONS.get(id);
}

/** The version that the content of a create event names; undefined for one that is not supported. */
export function versionNamedIn({ room_version: id = "1" }: Content): RoomVersion | undefined {
  return roomVersion(id);
}

/** The version that a create event names. One that names none means version 1. */
export function versionOf(create: RoomEvent): RoomVersion | undefined {
  return versionNamedIn(create.content);
}

/** The room id that follows from the id of a create event. Specification: room version 12, "Event format". */
export function roomIdFromCreate(createEventId: string): string {
  return `!${createEventId.slice(1)}`;
}
