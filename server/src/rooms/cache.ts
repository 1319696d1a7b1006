/**
 * The rooms and the people's memberships that this process has in memory, kept in step with the log. A stale copy is never
 * wrong for long and never dangerous: the append refuses what was authorised against it.
 */
import { LRUCache } from "lru-cache";
import type { Db } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import type { Hub } from "../log/hub.ts";
import { type MembershipRow, readHead, readMemberships, readRoom } from "../log/queries.ts";
import type { Tail } from "../log/tail.ts";
import { contentOf, type Membership, RoomState } from "./state.ts";

/** A person's membership in one room. */
export interface UserMembership {
  membership: Membership;
  position: number;
  eventId: string;
}

/** A person's memberships, by room. Rooms that were forgotten are not in it. */
export type Memberships = ReadonlyMap<string, UserMembership>;

export interface RoomCache {
  /** The room's current state, or undefined where there is no such room. */
  find(roomId: string): Promise<RoomState | undefined>;
  /** The room's current state. Throws M_NOT_FOUND. */
  load(roomId: string): Promise<RoomState>;
  /** The room's state if it is in memory already: for hot paths that must not wait. */
  peek(roomId: string): RoomState | undefined;
  /** A newer state of the room than the one at `position`, which the append refused as stale. */
  refresh(roomId: string, position: number): Promise<RoomState>;
  memberships(userId: string): Promise<Memberships>;
  /** The memberships if they are in memory already. */
  peekMemberships(userId: string): Memberships | undefined;
  /** A person forgot a room: it leaves their memberships. */
  forgot(userId: string, roomId: string): void;
}

/** Opens the cache and lets it follow the hub. */
export function openRoomCache({ db, hub, tail }: { db: Db; hub: Hub; tail: Tail }): RoomCache {
  const rooms = new LRUCache<string, RoomState>({
    max: limits.roomCache_rooms,
    maxSize: limits.roomCache_members,
    sizeCalculation: (room) => room.memberCount + 10,
  });
  const users = new LRUCache<string, Map<string, UserMembership>>({ max: limits.userCache_users });
  const roomLoads = new Map<string, Promise<RoomState | undefined>>();
  const userLoads = new Map<string, Promise<Map<string, UserMembership>>>();
  /** Memberships that arrive for people who are just being read. */
  const userWatchers = new Map<string, LogEntry[]>();

  hub.listen((entries) => {
    for (const entry of entries) {
      if (entry.kind !== "event") continue;
      if (entry.redacts !== null) applyRedaction(entry);
      if (entry.stateKey === null) continue;
      rooms.peek(entry.roomId as string)?.apply(entry);
      if (entry.type !== "m.room.member") continue;
      applyMembership(users.peek(entry.stateKey), entry);
      userWatchers.get(entry.stateKey)?.push(entry);
    }
  });

  function applyRedaction(redaction: LogEntry): void {
    const room = rooms.peek(redaction.roomId as string);
    if (!room || !redaction.redaction) return;
    for (const event of room.all())
      if (event.event_id === redaction.redacts) return room.replace({ ...event.entry, ...redaction.redaction });
  }

  async function readState(roomId: string): Promise<RoomState | undefined> {
    const stored = await readRoom(db, roomId);
    if (!stored) return undefined;
    const room = new RoomState({ roomId, ...stored });
    // What the hub handed out while the database answered.
    for (const entry of tail.ofRoom(roomId, room.position)) if (entry.kind === "event") room.apply(entry);
    rooms.set(roomId, room);
    return room;
  }

  async function readUser(userId: string): Promise<Map<string, UserMembership>> {
    // A membership that the hub hands out while the database answers must not be lost.
    const meanwhile: LogEntry[] = [];
    userWatchers.set(userId, meanwhile);
    const rows = await readMemberships(db, userId).finally(() => userWatchers.delete(userId));
    const map = new Map(rows.filter((row) => !row.forgotten).map((row) => [row.roomId, fromRow(row)]));
    for (const entry of meanwhile) applyMembership(map, entry);
    users.set(userId, map);
    return map;
  }

  const find = (roomId: string): Promise<RoomState | undefined> => {
    const room = rooms.get(roomId);
    return room ? Promise.resolve(room) : once(roomLoads, roomId, () => readState(roomId));
  };
  const isNewer = (roomId: string, position: number): boolean => (rooms.peek(roomId)?.position ?? 0) > position;
  const load = async (roomId: string): Promise<RoomState> => (await find(roomId)) ?? noSuchRoom();
  return {
    find,
    load,
    peek: (roomId) => rooms.get(roomId),
    refresh: async (roomId, position) => {
      // Reading what is new in the log is cheaper than reading the room, which may have thousands of members.
      if (!isNewer(roomId, position)) await hub.reached((await readHead(db)).position);
      if (!isNewer(roomId, position)) rooms.delete(roomId);
      return load(roomId);
    },
    memberships: (userId) => {
      const known = users.get(userId);
      return known ? Promise.resolve(known) : once(userLoads, userId, () => readUser(userId));
    },
    peekMemberships: (userId) => users.get(userId),
    forgot: (userId, roomId) => void users.get(userId)?.delete(roomId),
  };
}

function noSuchRoom(): never {
  throw matrixError("M_NOT_FOUND", "There is no such room, or you may not see it.");
}

/** Concurrent loads of one thing share one query. */
function once<T>(loads: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
  const running = loads.get(key);
  if (running) return running;
  const started = load().finally(() => loads.delete(key));
  loads.set(key, started);
  return started;
}

function fromRow(row: MembershipRow): UserMembership {
  return { membership: row.membership as Membership, position: row.position, eventId: row.eventId };
}

function applyMembership(map: Map<string, UserMembership> | undefined, entry: LogEntry): void {
  const roomId = entry.roomId as string;
  if (!map || (map.get(roomId)?.position ?? 0) >= entry.position) return;
  map.set(roomId, {
    membership: contentOf(entry)["membership"] as Membership,
    position: entry.position,
    eventId: entry.eventId as string,
  });
}
