/** The rows that a stretch of the log touches, in memory: loaded before it is folded in, and saved after it. */
import type { LogEntry } from "../log/entry.ts";
import type { Admission, MembershipRow, Nesting, Power, Room, Stay, Visibility } from "./model.ts";

export type NestingKey = Pick<Nesting, "spaceId" | "roomId" | "saidBy">;

export interface Draft {
  rooms: Map<string, Room>;
  /** By room and user, with a space between them. */
  memberships: Map<string, MembershipRow>;
  /** The stays that are open, and those that were ended or begun here. */
  stays: Map<string, Stay[]>;
  /** By room, all of each room that is touched. */
  powers: Map<string, Map<string, Power>>;
  admissions: Map<string, Map<string, Admission>>;
  /** By space, room and who says so. */
  nesting: Map<string, Nesting>;
  visibilities: Visibility[];
  /** The names that people gave themselves. */
  names: Map<string, string | null>;
  /** What changed, and is to be written. */
  changed: {
    rooms: Set<string>;
    memberships: Set<string>;
    powers: Set<string>;
    admissions: Set<string>;
    nesting: Map<string, NestingKey>;
  };
  /** Rooms that were removed, all of them. */
  purged: Set<string>;
  /** People whose devices are to be looked at again. */
  devicesOf: Set<string>;
}

export function emptyDraft(): Draft {
  return {
    rooms: new Map(),
    memberships: new Map(),
    stays: new Map(),
    powers: new Map(),
    admissions: new Map(),
    nesting: new Map(),
    visibilities: [],
    names: new Map(),
    changed: { rooms: new Set(), memberships: new Set(), powers: new Set(), admissions: new Set(), nesting: new Map() },
    purged: new Set(),
    devicesOf: new Set(),
  };
}

export const pairKey = (roomId: string, userId: string) => `${roomId} ${userId}`;
export const nestingKey = ({ spaceId, roomId, saidBy }: NestingKey) => `${spaceId} ${roomId} ${saidBy}`;

/** What has to be loaded before the entries are folded in. */
export interface Touched {
  roomIds: string[];
  members: { roomId: string; userId: string }[];
  /** Rooms whose powers, and whose admissions, are all needed. */
  powersOf: string[];
  admissionsOf: string[];
  nestingOf: string[];
}

export function touchedBy(entries: readonly LogEntry[]): Touched {
  const rooms = new Set<string>();
  const members = new Map<string, { roomId: string; userId: string }>();
  const [powersOf, admissionsOf, nestingOf] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { kind, roomId, type, stateKey } of entries) {
    if (kind !== "event" || roomId === null) continue;
    rooms.add(roomId);
    if (type === "m.room.member" && stateKey) members.set(pairKey(roomId, stateKey), { roomId, userId: stateKey });
    if (type === "m.room.power_levels" || type === "m.room.create") powersOf.add(roomId);
    if (type === "m.room.join_rules") admissionsOf.add(roomId);
    // A redaction may be one of what nests.
    if (type === "m.space.child" || type === "m.space.parent" || stateKey === null) nestingOf.add(roomId);
  }
  return {
    roomIds: [...rooms],
    members: [...members.values()],
    powersOf: [...powersOf],
    admissionsOf: [...admissionsOf],
    nestingOf: [...nestingOf],
  };
}
