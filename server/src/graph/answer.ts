/** The form of every answer: a sentence, a table and a picture of the same. */
import { z } from "zod";
import { limits } from "../limits.ts";
import { type Device, type Person, type Room, UNLIMITED } from "./model.ts";
import type { Graph } from "./port.ts";

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const properties = z.record(z.string(), value);

export const nodeSchema = z.object({ id: z.string(), type: z.string(), label: z.string(), properties });
export const edgeSchema = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  type: z.string(),
  label: z.string(),
  properties,
});

/** What every question answers. */
export const answerSchema = z.object({
  sentence: z.string().meta({ description: "The answer in words." }),
  details: z.array(z.string()).meta({ description: "What else is to be known, a sentence each." }),
  items: z.array(properties).meta({ description: "The answer as a table; every row has the same members." }),
  total: z.int().meta({ description: "How many rows there are: more than `items` has where it is cut." }),
  nodes: z.array(nodeSchema),
  edges: z.array(edgeSchema),
  more_nodes: z.int().meta({ description: "How many nodes the picture leaves out." }),
  roots: z.array(z.string()).meta({ description: "The nodes that the question is about." }),
  as_of_ts: z
    .int()
    .nullable()
    .meta({ description: "The state of the log that this is an answer from (ms since 1970)." }),
  behind_ms: z.int().nullable().meta({ description: "How old that is; 0 while nothing is missing." }),
  back_end: z.enum(["tables", "age"]),
});

export type Answer = z.input<typeof answerSchema>;
export type GraphNode = z.input<typeof nodeSchema>;
export type GraphEdge = z.input<typeof edgeSchema>;
export type Row = z.input<typeof properties>;
/** What a question finds out; how old it is, is added to it. */
export type Found = Omit<Answer, "as_of_ts" | "behind_ms" | "back_end" | "total" | "more_nodes" | "details"> & {
  details?: string[];
};

/** Cuts an answer to what can be shown. Nodes that come first stay. */
export function bounded(found: Found): Omit<Answer, "as_of_ts" | "behind_ms" | "back_end"> {
  const nodes = [...new Map(found.nodes.map((node) => [node.id, node])).values()];
  const shown = nodes.slice(0, limits.graphPicture_nodes);
  const ids = new Set(shown.map(({ id }) => id));
  const edges = [...new Map(found.edges.map((edge) => [edge.id, edge])).values()];
  return {
    ...found,
    details: found.details ?? [],
    items: found.items.slice(0, limits.graphTable_rows),
    total: found.items.length,
    nodes: shown,
    edges: edges.filter(({ from, to }) => ids.has(from) && ids.has(to)).slice(0, limits.graphPicture_edges),
    more_nodes: nodes.length - shown.length,
  };
}

export const day = (ms: number | null): string =>
  ms === null
    ? "the beginning"
    : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(ms);

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const personName = (person: Person | undefined, userId: string) => person?.name ?? userId;
export const roomName = (room: Room | undefined, roomId: string) => room?.name ?? room?.alias ?? roomId;
export const levelWords = (level: number) => (level === UNLIMITED ? "creator" : `level ${level}`);

export function personNode(person: Person | undefined, userId: string): GraphNode {
  const { role = null, status = "unknown", kind = "person", created_ms = null } = person ?? {};
  return {
    id: userId,
    type: kind,
    label: personName(person, userId),
    properties: { user_id: userId, status, role, created_ts: created_ms },
  };
}

export function roomNode(room: Room | undefined, roomId: string): GraphNode {
  const label = roomName(room, roomId);
  if (!room) return { id: roomId, type: "room", label, properties: { room_id: roomId, known: false } };
  const { joinRule, visibility, encrypted_ms, created_ms, roomVersion, replacement } = room;
  const rules = { join_rule: joinRule, history_visibility: visibility, encrypted: encrypted_ms !== null };
  const rest = { room_version: roomVersion, created_ts: created_ms, replaced_by: replacement };
  return {
    id: roomId,
    type: room.isSpace ? "space" : "room",
    label,
    properties: { room_id: roomId, alias: room.alias, ...rules, ...rest },
  };
}

export const deviceNodeId = ({ userId, deviceId }: Pick<Device, "userId" | "deviceId">) => `${userId} ${deviceId}`;

export function deviceNode(device: Device): GraphNode {
  const { userId, deviceId, name, isVerified, hasKeys, created_ms, lastSeen_ms, ended_ms } = device;
  const times = { created_ts: created_ms, last_seen_ts: lastSeen_ms, signed_out_ts: ended_ms };
  return {
    id: deviceNodeId(device),
    type: "device",
    label: name ?? deviceId,
    properties: { user_id: userId, device_id: deviceId, verified: isVerified, has_keys: hasKeys, ...times },
  };
}

export function edge(
  type: string,
  [from, to]: readonly [string, string],
  rest: { label?: string; properties?: Row } = {},
): GraphEdge {
  const { label = type.replaceAll("_", " "), properties: own = {} } = rest;
  return { id: `${type} ${from} ${to}`, from, to, type, label, properties: own };
}

/** Names of people and rooms, for sentences and labels. */
export interface Names {
  person(userId: string): string;
  room(roomId: string): string;
  people: ReadonlyMap<string, Person>;
  rooms: ReadonlyMap<string, Room>;
}

export async function namesOf(graph: Graph, userIds: Iterable<string>, roomIds: Iterable<string>): Promise<Names> {
  const [userList, roomList] = [[...new Set(userIds)], [...new Set(roomIds)]];
  const [people, rooms] = await Promise.all([
    userList.length > 0 ? graph.people(userList) : [],
    roomList.length > 0 ? graph.rooms(roomList) : [],
  ]);
  const peopleById = new Map(people.map((person) => [person.userId, person]));
  const roomsById = new Map(rooms.map((room) => [room.roomId, room]));
  return {
    person: (userId) => personName(peopleById.get(userId), userId),
    room: (roomId) => roomName(roomsById.get(roomId), roomId),
    people: peopleById,
    rooms: roomsById,
  };
}
