/**
 * The rooms and the people's memberships that this process has in memory, kept in step with the log. A stale copy is never
 * wrong for long and never dangerous: the append refuses what was authorised against it.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import type { Db } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type LogEntry, withoutReplaced } from "../log/entry.ts";
import type { Hub } from "../log/hub.ts";
import { type MembershipRow, readHead, readMemberships, readRoom } from "../log/queries.ts";
import { openLookup } from "../lookups.ts";
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

interface CacheParts {
  db: Db;
  hub: Hub;
  /** The history that the hub follows: see log/epochs.ts. */
  epoch(): number;
}

/** Opens the cache and lets it follow the hub. */
export function openRoomCache(parts: CacheParts): RoomCache {
  const rooms = openRooms(parts);
  const users = openUsers(parts);
  parts.hub.listen((entries) => {
    for (const entry of entries) {
      if (entry.kind === "removal" && entry.type === "purged") rooms.forget(entry);
      if (entry.kind !== "event") continue;
      if (entry.stateKey !== null || entry.redacts !== null) rooms.follow(entry);
      if (entry.stateKey !== null && entry.type === "m.room.member") users.follow(entry.stateKey, entry);
    }
  });
  const load = async (roomId: string): Promise<RoomState> => (await rooms.find(roomId)) ?? noSuchRoom();
  return {
    find: (roomId) => rooms.find(roomId),
    load,
    peek: (roomId) => rooms.peek(roomId),
    async refresh(roomId, position) {
      await rooms.moveOn(roomId, position);
      return load(roomId);
    },
    memberships: (userId) => users.find(userId),
    peekMemberships: (userId) => users.peek(userId),
    forgot: (userId, roomId) => users.forgot(userId, roomId),
  };
}

/** How often a room that grows is weighed again, in members. */
const WEIGHED_EVERY_MEMBERS = 64;

function openRooms({ db, hub, epoch }: CacheParts) {
  const rooms = new LRUCache<string, RoomState>({
    max: limits.roomCache_rooms,
    maxSize: limits.roomCache_members,
    sizeCalculation: (room) => room.memberCount + 10,
  });
  const loads = new Map<string, Promise<RoomState | undefined>>();
  /** Entries that arrive for rooms that are just being read: they must not be lost. */
  const meanwhile = new Map<string, LogEntry[]>();
  const isNewer = (roomId: string, position: number): boolean => (rooms.peek(roomId)?.position ?? 0) > position;

  async function read(roomId: string): Promise<RoomState | undefined> {
    const arrived: LogEntry[] = [];
    meanwhile.set(roomId, arrived);
    try {
      const readIn = epoch();
      const stored = await readRoom(db, roomId);
      if (!stored) return undefined;
      const room = new RoomState({ roomId, ...stored });
      // Where the database is ahead of the hub: what is kept here is never ahead of what listeners have seen.
      await hub.reached(room.position);
      // What was read may be of before its purge, or of a history that ended below it: of that the database had shown what it
      // lost. What comes during the second reading is gathered until that is over.
      if (epoch() !== readIn || arrived.some(({ kind }) => kind === "removal")) return await read(roomId);
      for (const entry of arrived) applyTo(room, entry);
      rooms.set(roomId, room);
      return room;
    } finally {
      meanwhile.delete(roomId);
    }
  }

  return {
    find(roomId: string): Promise<RoomState | undefined> {
      const room = rooms.get(roomId);
      return room ? Promise.resolve(room) : once(loads, roomId, () => read(roomId));
    },
    peek: (roomId: string) => rooms.get(roomId),
    follow(entry: LogEntry): void {
      meanwhile.get(entry.roomId as string)?.push(entry);
      const room = rooms.peek(entry.roomId as string);
      if (!room) return;
      const before = room.memberCount;
      applyTo(room, entry);
      if (room.memberCount > before && room.memberCount % WEIGHED_EVERY_MEMBERS === 0) rooms.set(room.roomId, room);
    },
    /** The room was purged: what is left of it is read anew. */
    forget(entry: LogEntry): void {
      meanwhile.get(entry.roomId as string)?.push(entry);
      rooms.delete(entry.roomId as string);
    },
    /** Sees to it that the next `find` gives a newer state than the one at `position`. */
    async moveOn(roomId: string, position: number): Promise<void> {
      // Reading what is new in the log is cheaper than reading the room, which may have thousands of members.
      if (!isNewer(roomId, position)) await hub.reached((await readHead(db)).position);
      if (!isNewer(roomId, position)) rooms.delete(roomId);
    },
  };
}

/** Takes a state event, or what a redaction did to one. */
function applyTo(room: RoomState, entry: LogEntry): void {
  if (entry.stateKey !== null) room.apply(entry);
  if (!entry.redaction) return;
  const { type, state_key } = JSON.parse(entry.redaction.body) as { type: string; state_key?: string };
  const target = state_key === undefined ? undefined : room.get(type, state_key);
  if (!target || entry.redacts === null) return;
  if (target.event_id === entry.redacts) return room.replace({ ...target.entry, ...entry.redaction });
  const unsigned = withoutReplaced(target.entry.unsigned, entry.redacts);
  if (unsigned !== undefined) room.replace({ ...target.entry, unsigned });
}

function openUsers({ db, hub, epoch }: CacheParts) {
  const users = new LRUCache<string, Map<string, UserMembership>>(atMost(limits.userCache_users));
  const loads = new Map<string, Promise<Map<string, UserMembership>>>();
  const look = openLookup({
    most: limits.lookup_keys,
    ask: (userIds: readonly string[]) => readMemberships(db, userIds),
  });
  /** Memberships that arrive for people who are just being read: they must not be lost. */
  const meanwhile = new Map<string, LogEntry[]>();

  /**
   * Waits for the hub where the database is ahead of it: what is kept here is never ahead of what listeners have seen. Where the hub
   * comes there on another history, they are read anew.
   */
  async function readUpToHere(userId: string): Promise<MembershipRow[]> {
    const readIn = epoch();
    const rows = await look(userId);
    await hub.reached(rows.reduce((newest, row) => Math.max(newest, row.position), 0));
    return epoch() === readIn ? rows : readUpToHere(userId);
  }

  async function read(userId: string): Promise<Map<string, UserMembership>> {
    const arrived: LogEntry[] = [];
    meanwhile.set(userId, arrived);
    const rows = await readUpToHere(userId).finally(() => meanwhile.delete(userId));
    const map = new Map(rows.filter((row) => !row.forgotten).map((row) => [row.roomId, fromRow(row)]));
    for (const entry of arrived) applyMembership(map, entry);
    users.set(userId, map);
    return map;
  }

  return {
    find(userId: string): Promise<Map<string, UserMembership>> {
      const known = users.get(userId);
      return known ? Promise.resolve(known) : once(loads, userId, () => read(userId));
    },
    peek: (userId: string) => users.get(userId),
    follow(userId: string, entry: LogEntry): void {
      applyMembership(users.peek(userId), entry);
      meanwhile.get(userId)?.push(entry);
    },
    forgot: (userId: string, roomId: string) => void users.get(userId)?.delete(roomId),
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
  map.set(roomId, membershipOf(entry));
}

/** The membership that an entry of m.room.member gives. */
export function membershipOf(entry: LogEntry): UserMembership {
  return {
    membership: contentOf(entry)["membership"] as Membership,
    position: entry.position,
    eventId: entry.eventId as string,
  };
}
