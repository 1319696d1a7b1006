/** What would change if this person, role, device or space were removed? Nothing changes by asking. */
import { matrixError } from "../../errors.ts";
import {
  deviceNode,
  deviceNodeId,
  edge,
  type Found,
  type Names,
  namesOf,
  personNode,
  plural,
  roomNode,
  roomName,
  type Row,
} from "../answer.ts";
import type { Graph } from "../port.ts";
import { readersIn, type Surroundings, surroundingsOfEach } from "../ways.ts";
import { exposuresOf } from "./exposed.ts";

export type Removal =
  | { kind: "person"; userId: string }
  /** Power in a room; without a room the administration of the server. */
  | { kind: "role"; userId: string; roomId?: string | undefined }
  | { kind: "device"; userId: string; deviceId: string }
  /** A space or room, as what lets its members into others. */
  | { kind: "space"; roomId: string };

export function effectOfRemoval(graph: Graph, removal: Removal): Promise<Found> {
  if (removal.kind === "person") return ofPerson(graph, removal.userId);
  if (removal.kind === "device") return ofDevice(graph, removal);
  if (removal.kind === "space") return ofSpace(graph, removal.roomId);
  return removal.roomId === undefined
    ? ofAdministration(graph, removal.userId)
    : ofPower(graph, removal.userId, removal.roomId);
}

type Effect = "nobody is left" | "nobody can manage it" | "loses a manager" | "loses a member";

/** What becomes of rooms without this member. */
async function effectsOn(graph: Graph, userId: string, roomIds: readonly string[]): Promise<Map<string, Effect>> {
  const [counts, managers] = await Promise.all([graph.memberCounts(roomIds), graph.managersOf(roomIds)]);
  const byRoom = Map.groupBy(managers, ({ roomId }) => roomId);
  return new Map(
    roomIds.map((roomId) => {
      const own = byRoom.get(roomId) ?? [];
      const isManager = own.some((each) => each.userId === userId);
      if (counts.get(roomId) === 1) return [roomId, "nobody is left"];
      if (isManager) return [roomId, own.length === 1 ? "nobody can manage it" : "loses a manager"];
      return [roomId, "loses a member"];
    }),
  );
}

const SEVERITY: Effect[] = ["nobody can manage it", "nobody is left", "loses a manager", "loses a member"];

async function ofPerson(graph: Graph, userId: string): Promise<Found> {
  const [memberships, devices] = await Promise.all([graph.membershipsOf(userId), graph.devicesOf(userId)]);
  const roomIds = memberships.filter(({ membership }) => membership === "join").map(({ roomId }) => roomId);
  const [effects, names] = await Promise.all([effectsOn(graph, userId, roomIds), namesOf(graph, [userId], roomIds)]);
  if (!names.people.has(userId)) throw matrixError("M_NOT_FOUND", "The access graph knows nobody with this id.");
  const sorted = [...effects].toSorted(
    ([a, x], [b, y]) => SEVERITY.indexOf(x) - SEVERITY.indexOf(y) || (a < b ? -1 : 1),
  );
  const count = (effect: Effect) => sorted.filter(([, each]) => each === effect).length;
  const open = devices.filter(({ ended_ms }) => ended_ms === null).length;
  const parts = [
    `${plural(roomIds.length, "room")} would lose a member`,
    `${plural(open, "device")} would be signed out`,
  ];
  if (count("nobody can manage it") > 0)
    parts.push(
      `${plural(count("nobody can manage it"), "room")} would have nobody to manage ${count("nobody can manage it") === 1 ? "it" : "them"}`,
    );
  if (count("nobody is left") > 0) parts.push(`${plural(count("nobody is left"), "room")} would be empty`);
  return {
    sentence: `Without ${names.person(userId)} ${parts.join(", ")}.`,
    details: names.people.get(userId)?.role ? [`On this server they are ${names.people.get(userId)?.role}.`] : [],
    items: sorted.map(([roomId, effect]) => roomRow(names, roomId, effect)),
    nodes: [
      personNode(names.people.get(userId), userId),
      ...sorted.map(([roomId]) => roomNode(names.rooms.get(roomId), roomId)),
    ],
    edges: sorted.map(([roomId, effect]) => edge("member", [userId, roomId], { label: effect })),
    roots: [userId],
  };
}

function roomRow(names: Names, roomId: string, effect: string): Row {
  const type = names.rooms.get(roomId)?.isSpace ? "space" : "room";
  return { room_id: roomId, name: names.room(roomId), type, effect };
}

async function ofPower(graph: Graph, userId: string, roomId: string): Promise<Found> {
  const [managers, names] = await Promise.all([graph.managersOf([roomId]), namesOf(graph, [userId], [roomId])]);
  if (!names.rooms.has(roomId)) throw matrixError("M_NOT_FOUND", "The access graph knows no room with this id.");
  const isManager = managers.some((each) => each.userId === userId);
  const left = managers.filter((each) => each.userId !== userId);
  const rest =
    left.length === 0 ? "nobody could manage it any more" : `${plural(left.length, "member")} could still manage it`;
  const [who, room] = [names.person(userId), names.room(roomId)];
  return {
    sentence: isManager
      ? `Without the power of ${who} in ${room} ${rest}.`
      : `${who} does not manage ${room}: nothing would change.`,
    items: left.map((each) => ({ user_id: each.userId, level: each.level, effect: "still manages it" })),
    nodes: [
      roomNode(names.rooms.get(roomId), roomId),
      personNode(names.people.get(userId), userId),
      ...left.map((each) => personNode(undefined, each.userId)),
    ],
    edges: managers.map((each) => edge("manages", [each.userId, roomId])),
    roots: [roomId],
  };
}

async function ofAdministration(graph: Graph, userId: string): Promise<Found> {
  const administrators = await graph.administrators();
  const names = await namesOf(graph, [userId], []);
  const left = administrators.filter((each) => each.userId !== userId && each.status === "active");
  const own = administrators.find((each) => each.userId === userId);
  const owners = left.filter(({ role }) => role === "owner").length;
  const rest =
    owners === 0
      ? "nobody would own this server"
      : `${plural(owners, "owner")} and ${plural(left.length - owners, "other operator")} would be left`;
  return {
    sentence: own
      ? `Without the role of ${names.person(userId)} (${own.role ?? "administrator"}) ${rest}.`
      : `${names.person(userId)} has no role on this server: nothing would change.`,
    items: left.map((each) => ({ user_id: each.userId, name: each.name, role: each.role, effect: "stays" })),
    nodes: [personNode(names.people.get(userId), userId), ...left.map((each) => personNode(each, each.userId))],
    edges: [],
    roots: [userId],
  };
}

async function ofDevice(graph: Graph, { userId, deviceId }: { userId: string; deviceId: string }): Promise<Found> {
  const devices = await graph.devicesOf(userId);
  const device = devices.find((each) => each.deviceId === deviceId && each.ended_ms === null);
  if (!device) throw matrixError("M_NOT_FOUND", "The access graph knows no signed-in device with this id.");
  const open = (await exposuresOf(graph, device)).filter(({ until_ms }) => until_ms === null);
  const others = devices.filter((each) => each.ended_ms === null && each.deviceId !== deviceId);
  const names = await namesOf(
    graph,
    [userId],
    open.map(({ roomId }) => roomId),
  );
  const isLastVerified = device.isVerified && !others.some(({ isVerified }) => isVerified);
  const who = names.person(userId);
  const effect = others.length === 0 ? "nothing reads it for them" : "read by their other devices";
  return {
    sentence: `Without ${device.name ?? deviceId} ${plural(open.length, "room")} ${open.length === 1 ? "is" : "are"} closed to it; ${who} has ${others.length === 0 ? "no other device, and would have to sign in again" : plural(others.length, "other device")}.`,
    details: isLastVerified
      ? [`It is the only verified device of ${who}: older encrypted messages would need the recovery key.`]
      : [],
    items: open.map(({ roomId }) => roomRow(names, roomId, effect)),
    nodes: [
      personNode(names.people.get(userId), userId),
      deviceNode(device),
      ...others.map(deviceNode),
      ...open.map(({ roomId }) => roomNode(names.rooms.get(roomId), roomId)),
    ],
    edges: [
      ...[device, ...others].map((each) => edge("uses", [userId, deviceNodeId(each)])),
      ...open.map(({ roomId }) => edge("could_read", [deviceNodeId(device), roomId], { label: "can read" })),
    ],
    roots: [deviceNodeId(device)],
  };
}

/** Who could not come into the room any more, and whether that is everybody else. */
function lossIn(surroundings: Surroundings, spaceId: string): { people: string[]; isEverybody: boolean } {
  const [now, then] = [readersIn(surroundings), readersIn(surroundings, spaceId)];
  // Everybody has another way; but whoever is banned on that one.
  if (then.everyone)
    return { people: [...then.excluded].filter((userId) => !now.excluded.has(userId)), isEverybody: false };
  const people = [...now.ways.keys()].filter((userId) => !then.ways.has(userId));
  return { people, isEverybody: now.everyone !== undefined };
}

/** Who would lose which rooms, because nothing else lets them in. */
async function ofSpace(graph: Graph, spaceId: string): Promise<Found> {
  const admissions = await graph.admissionsFrom([spaceId]);
  const roomIds = [...new Set(admissions.map(({ roomId }) => roomId))].filter((roomId) => roomId !== spaceId);
  const names = await namesOf(graph, [], [spaceId, ...roomIds]);
  if (!names.rooms.has(spaceId)) throw matrixError("M_NOT_FOUND", "The access graph knows no room with this id.");
  const lost = [];
  for await (const surroundings of surroundingsOfEach(graph, roomIds))
    lost.push({ roomId: surroundings.room.roomId, ...lossIn(surroundings, spaceId) });
  const all = new Set(lost.flatMap(({ people }) => people));
  const closed = lost.filter(({ people, isEverybody }) => people.length > 0 || isEverybody);
  return {
    sentence: `Without ${roomName(names.rooms.get(spaceId), spaceId)} ${plural(all.size, "person", "people")} could no longer join ${plural(closed.length, "room")} by it.`,
    details: ["Whoever is a member of such a room stays one."],
    items: closed.map(({ roomId, people, isEverybody }) => ({
      ...roomRow(names, roomId, isEverybody ? "closed to everybody else" : "closed to some"),
      people: people.length,
    })),
    nodes: [spaceId, ...closed.map(({ roomId }) => roomId)].map((id) => roomNode(names.rooms.get(id), id)),
    edges: admissions.map(({ viaRoomId, roomId }) =>
      edge("lets_in", [viaRoomId, roomId], { label: "lets in members" }),
    ),
    roots: [spaceId],
  };
}
