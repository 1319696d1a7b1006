/** By which way somebody gets at a room. Specification: client-server-api, `m.room.join_rules` and "Restricted rooms". */
import { type Admission, enterable, type MembershipRow, type Room } from "./model.ts";
import type { Graph } from "./port.ts";

/**
 *   member      is in it
 *   invited     may come in by an invitation
 *   public      may come in because anybody may
 *   restricted  may come in as a member of another room, which they are in, or may come into in turn
 *   readable    may read it without being in it
 */
export interface Way {
  how: "member" | "invited" | "public" | "restricted" | "readable";
  /** restricted: the room that lets them in. */
  viaRoomId?: string;
}

export interface Standing {
  memberships: ReadonlyMap<string, MembershipRow>;
  rooms: ReadonlyMap<string, Room>;
  admissions: readonly Admission[];
}

/** All rooms that somebody with these memberships is in or may come into, of those that are known here. */
export function waysOf({ memberships, rooms, admissions }: Standing): Map<string, Way> {
  const ways = new Map<string, Way>();
  const isBanned = (roomId: string) => memberships.get(roomId)?.membership === "ban";
  for (const [roomId, { membership }] of memberships) {
    if (membership === "join") ways.set(roomId, { how: "member" });
    if (membership === "invite" && enterable.includes(rooms.get(roomId)?.joinRule ?? ""))
      ways.set(roomId, { how: "invited" });
  }
  for (const { roomId, joinRule } of rooms.values())
    if (joinRule === "public" && !ways.has(roomId) && !isBanned(roomId)) ways.set(roomId, { how: "public" });
  // Step by step, so that each room is reached by one of the shortest ways; of those, by the first room's id.
  const sorted = admissions.toSorted((a, b) => (a.viaRoomId < b.viaRoomId ? -1 : 1));
  for (let isMore = true; isMore;) {
    const next = sorted.filter(
      ({ roomId, viaRoomId }) => ways.has(viaRoomId) && !ways.has(roomId) && !isBanned(roomId),
    );
    for (const { roomId, viaRoomId } of next.toReversed()) ways.set(roomId, { how: "restricted", viaRoomId });
    isMore = next.length > 0;
  }
  return ways;
}

const byRoom = <T extends { roomId: string }>(rows: readonly T[]) => new Map(rows.map((row) => [row.roomId, row]));

export interface Reach {
  ways: Map<string, Way>;
  rooms: Map<string, Room>;
  memberships: Map<string, MembershipRow>;
}

/** Every room that the person can read, and by which way. */
export async function reachOf(graph: Graph, userId: string): Promise<Reach> {
  const [rows, open] = await Promise.all([graph.membershipsOf(userId), graph.openRooms()]);
  const memberships = byRoom(rows);
  const starts = rows
    .filter(({ membership }) => membership === "join" || membership === "invite")
    .map(({ roomId }) => roomId);
  const publicOnes = open.filter(({ joinRule }) => joinRule === "public").map(({ roomId }) => roomId);
  const admissions = await graph.admissionsFrom([...new Set([...starts, ...publicOnes])]);
  const ids = new Set([...starts, ...admissions.map(({ roomId }) => roomId)]);
  const rooms = byRoom([...(await graph.rooms([...ids])), ...open]);
  const ways = waysOf({ memberships, rooms, admissions });
  for (const { roomId, visibility } of open)
    if (visibility === "world_readable" && !ways.has(roomId)) ways.set(roomId, { how: "readable" });
  return { ways, rooms, memberships };
}

export interface Readers {
  room: Room;
  /** Why everybody with an account can read it, but for `excluded`; the way that anybody has. */
  everyone: Way | undefined;
  ways: Map<string, Way>;
  /** Who is banned on the way that everybody else has. */
  excluded: Set<string>;
  memberships: MembershipRow[];
  rooms: Map<string, Room>;
}

/** What there is around a room: whose members may come into it, and who stands how to it and to them. */
export interface Surroundings {
  room: Room;
  rooms: Map<string, Room>;
  admissions: readonly Admission[];
  rows: readonly MembershipRow[];
}

/** Undefined where there is no such room. */
export async function surroundingsOf(graph: Graph, roomId: string): Promise<Surroundings | undefined> {
  const admissions = await graph.admissionsInto([roomId]);
  const ids = [...new Set([roomId, ...admissions.map(({ viaRoomId }) => viaRoomId)])];
  const [list, rows] = await Promise.all([graph.rooms(ids), graph.membersOf(ids)]);
  const rooms = byRoom(list);
  const room = rooms.get(roomId);
  return room && { room, rooms, admissions, rows };
}

/** How many rooms' people are in memory at once, beside those of the rooms that let in. */
const ROOMS_AT_ONCE = 20;

/** The same of many rooms, each once; whoever is in a room that lets in is asked for once for all of them. */
export async function* surroundingsOfEach(graph: Graph, roomIds: readonly string[]): AsyncIterable<Surroundings> {
  const admissions = await graph.admissionsInto(roomIds);
  const into = Map.groupBy(admissions, ({ roomId }) => roomId);
  const vias = [...new Set(admissions.map(({ viaRoomId }) => viaRoomId))];
  const [list, members] = await Promise.all([
    graph.rooms([...new Set([...roomIds, ...vias])]),
    vias.length > 0 ? graph.membersOf(vias) : [],
  ]);
  const [known, ofVias] = [byRoom(list), Map.groupBy(members, ({ roomId }) => roomId)];
  for (let from = 0; from < roomIds.length; from += ROOMS_AT_ONCE) {
    const some = roomIds.slice(from, from + ROOMS_AT_ONCE);
    const asked = some.filter((roomId) => !vias.includes(roomId));
    const own = Map.groupBy(asked.length > 0 ? await graph.membersOf(asked) : [], ({ roomId }) => roomId);
    for (const roomId of some) {
      const room = known.get(roomId);
      if (!room) continue;
      const ids = upwardsFrom(roomId, into);
      yield {
        room,
        rooms: byRoom(ids.flatMap((id) => known.get(id) ?? [])),
        admissions: ids.flatMap((id) => into.get(id) ?? []),
        rows: ids.flatMap((id) => own.get(id) ?? ofVias.get(id) ?? []),
      };
    }
  }
}

/** The room, and all whose members may come into it by one another. */
function upwardsFrom(roomId: string, into: ReadonlyMap<string, readonly Admission[]>): string[] {
  const found = new Set([roomId]);
  // A set gives what is added to it while it is gone through, too.
  for (const id of found) for (const { viaRoomId } of into.get(id) ?? []) found.add(viaRoomId);
  return [...found];
}

/** Who can read the room, and by which way: whoever has something to do with it by name. `without` is a room that is thought away. */
export function readersIn({ room, rooms, admissions: all, rows }: Surroundings, without?: string): Readers {
  const { roomId } = room;
  const admissions = all.filter(({ viaRoomId }) => viaRoomId !== without);
  const wayWith = (own: readonly MembershipRow[]): Way | undefined =>
    waysOf({ memberships: byRoom(own), rooms, admissions }).get(roomId) ??
    (room.visibility === "world_readable" ? { how: "readable" } : undefined);
  // Thousands of people stand alike to these rooms: each such standing is thought through once.
  const known = new Map<string, Way | undefined>();
  const everyone = wayWith([]);
  const ways = new Map<string, Way>();
  const excluded = new Set<string>();
  for (const [userId, own] of Map.groupBy(rows, (row) => row.userId)) {
    const standing = own
      .map((row) => `${row.roomId} ${row.membership}`)
      .toSorted()
      .join("\n");
    if (!known.has(standing)) known.set(standing, wayWith(own));
    const way = known.get(standing);
    if (!way) excluded.add(userId);
    // Whom nothing but everybody's way leads there is one of everybody.
    else if (!everyone || way.how === "member" || way.how === "invited") ways.set(userId, way);
  }
  if (!everyone) excluded.clear();
  return { room, everyone, ways, excluded, memberships: rows.filter((row) => row.roomId === roomId), rooms };
}

/** Undefined where there is no such room. */
export async function readersOf(graph: Graph, roomId: string): Promise<Readers | undefined> {
  const surroundings = await surroundingsOf(graph, roomId);
  return surroundings && readersIn(surroundings);
}
