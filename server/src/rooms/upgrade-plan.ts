/** What a room takes along when another version of it takes its place. Specification: client-server-api, "Room Upgrades". */
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { CreateRoomBody } from "./rules/create-body.ts";
import { type Content, isObject, type RoomEvent } from "./rules/event.ts";
import { creatorsOf, levelOf, levelsOf } from "./rules/power.ts";
import { roomVersion } from "./rules/versions.ts";
import type { RoomState, StateEvent } from "./state.ts";

/** State that means the same whoever sent it. Power levels come last: the events before them need the power of a creator. */
const CARRIED = [
  "m.room.server_acl",
  "m.room.encryption",
  "m.room.name",
  "m.room.avatar",
  "m.room.canonical_alias",
  "m.room.related_groups",
  "m.room.topic",
  "m.room.guest_access",
  "m.room.history_visibility",
  "m.room.join_rules",
] as const;

/** The highest level that canonical JSON holds. */
const HIGHEST = Number.MAX_SAFE_INTEGER;

export interface Replacement {
  userId: string;
  /** The event that will end the old room. */
  tombstoneId: string;
  version: string;
  additionalCreators: readonly string[];
}

/** The request that makes the new room: as if the person had asked for a room that is like the old one. */
export function replacementRequest(room: RoomState, wish: Replacement): CreateRoomBody {
  const hasCreators = roomVersion(wish.version)?.privilegedCreators === true;
  const { type, "m.federate": federate } = (room.get("m.room.create") as StateEvent).content;
  return {
    room_version: wish.version,
    creation_content: {
      ...(type !== undefined && { type }),
      ...(federate !== undefined && { "m.federate": federate }),
      ...(hasCreators && wish.additionalCreators.length > 0 && { additional_creators: wish.additionalCreators }),
      // A room of version 12 names no event here. Specification: "Room Upgrades", added in 1.16.
      predecessor: { room_id: room.roomId, ...(!hasCreators && { event_id: wish.tombstoneId }) },
    },
    ...(!hasCreators && { power_level_content_override: { users: { [wish.userId]: HIGHEST } } }),
    initial_state: [
      ...CARRIED.flatMap((each) => copyOf(room.get(each))),
      ...[...room.ofType("m.space.child").values()].slice(0, limits.upgrade_events).flatMap(copyOf),
      ...bans(room).slice(0, limits.upgrade_events),
      { type: "m.room.power_levels", state_key: "", content: carriedLevels(room, wish) },
    ],
  };
}

interface InitialEvent {
  type: string;
  state_key: string;
  content: Content;
}

function copyOf(event: StateEvent | undefined): InitialEvent[] {
  if (!event || Object.keys(event.content).length === 0) return [];
  const { type, state_key, content } = event;
  return [{ type, state_key, content }];
}

/** Those who were kept out stay out. */
function bans(room: RoomState): InitialEvent[] {
  const banned = [...room.memberships()].filter(([, membership]) => membership === "ban");
  return banned.map(([state_key]) => ({ type: "m.room.member", state_key, content: { membership: "ban" } }));
}

/**
 * The old power levels. Where creators have infinite power they may not be listed. Where they have not, those who were creators
 * before get the highest level that there is, and nobody else has it.
 *
 * The person who makes the room has that level until these are set, so that all of them are within their reach.
 */
function carriedLevels(room: RoomState, { userId, version, additionalCreators }: Replacement): Content {
  const levels = asNumbers(levelsOf(room));
  const users = isObject(levels.users) ? levels.users : {};
  if (roomVersion(version)?.privilegedCreators === true) {
    const creators = new Set([userId, ...additionalCreators]);
    return { ...levels, users: Object.fromEntries(Object.entries(users).filter(([user]) => !creators.has(user))) };
  }
  const hadCreators = roomVersion(room.roomVersion)?.privilegedCreators === true;
  if (!hadCreators) return { ...levels, users };
  const creators = creatorsOf(room.get("m.room.create") as RoomEvent).map((user) => [user, HIGHEST]);
  const others = Object.entries(users).map(([user, level]) => [user, Math.min(level as number, HIGHEST - 1)]);
  return { ...levels, users: Object.fromEntries([...others, ...creators]) };
}

/** The levels with those that are texts, as older versions have them, as the numbers that newer ones ask for. */
function asNumbers(levels: Content): Content {
  const number = (level: unknown): unknown => (isObject(level) ? asNumbers(level) : (levelOf(level) ?? level));
  return Object.fromEntries(Object.entries(levels).map(([key, level]) => [key, number(level)]));
}

/** The levels of the old room with talking and inviting out of reach of ordinary members. */
export function mutedLevels(room: RoomState): Content {
  const levels = asNumbers(levelsOf(room));
  const ordinary = typeof levels.users_default === "number" ? levels.users_default : 0;
  const muted = Math.max(50, ordinary + 1);
  const atLeast = (level: unknown) => (typeof level === "number" ? Math.max(level, muted) : muted);
  return { ...levels, events_default: atLeast(levels.events_default), invite: atLeast(levels.invite) };
}

/** A tombstone, as state or as a message that looks like one, names another room than its own. Throws M_INVALID_PARAM. */
export function requireAnotherRoom(roomId: string, { type, content }: { type: string; content: Content }): void {
  if (type === "m.room.tombstone" && content["replacement_room"] === roomId)
    throw matrixError("M_INVALID_PARAM", "A room can not take its own place.");
}
