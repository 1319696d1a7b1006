/** Who administers the server, or one room, and who gave them that? */
import { matrixError } from "../../errors.ts";
import { day, edge, type Found, levelWords, type Names, namesOf, personNode, plural, roomNode } from "../answer.ts";
import { operatorRoles } from "../../console/operation.ts";
import type { Person, Power } from "../model.ts";
import type { Graph } from "../port.ts";

export async function administratorsPaths(graph: Graph, { roomId }: { roomId?: string | undefined }): Promise<Found> {
  return roomId === undefined ? ofServer(graph) : ofRoom(graph, roomId);
}

async function ofServer(graph: Graph): Promise<Found> {
  const administrators = (await graph.administrators()).toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
  const rooms = await graph.roomCounts(administrators.map(({ userId }) => userId));
  const devices = await Promise.all(administrators.map(({ userId }) => graph.devicesOf(userId)));
  const items = administrators.map(({ userId, name, status, role, roleBy, role_ms }, index) => {
    const open = (devices[index] ?? []).filter(({ ended_ms }) => ended_ms === null);
    const unverified = open.filter(({ isVerified }) => !isVerified).length;
    return {
      user_id: userId,
      name,
      status,
      role,
      by: roleBy,
      since_ts: role_ms,
      devices: open.length,
      unverified_devices: unverified,
      rooms: rooms.get(userId) ?? 0,
    };
  });
  const open = items.filter(({ unverified_devices }) => unverified_devices > 0).length;
  const server = { id: "server", type: "space", label: "This server", properties: {} };
  return {
    sentence: `${plural(items.length, "person has a role", "people have a role")} on this server${rolesIn(administrators)}${open > 0 ? `; ${open} of them with a device that is not verified` : ""}.`,
    items,
    nodes: [server, ...administrators.map((person) => personNode(person, person.userId))],
    edges: administrators.flatMap(({ userId, role, roleBy, role_ms }) => [
      edge("administers", [userId, server.id], { label: role ?? "administers", properties: { since_ts: role_ms } }),
      ...(roleBy === null ? [] : [edge("gave_role", [roleBy, userId], { label: "gave the role" })]),
    ]),
    roots: [server.id],
  };
}

/** ": 1 owner and 2 auditors". */
function rolesIn(people: readonly Person[]): string {
  const counts = [...operatorRoles]
    .toReversed()
    .map((role) => ({ role, count: people.filter((each) => each.role === role).length }));
  const parts = counts.filter(({ count }) => count > 0).map(({ role, count }) => plural(count, role));
  return parts.length > 0 ? `: ${parts.join(" and ")}` : "";
}

async function ofRoom(graph: Graph, roomId: string): Promise<Found> {
  const [managers, powers] = await Promise.all([graph.managersOf([roomId]), graph.powersIn([roomId])]);
  const byUser = new Map(powers.map((power) => [power.userId, power]));
  const involved = [
    ...managers.map(({ userId }) => userId),
    ...powers.flatMap(({ userId, grantedBy }) => [userId, grantedBy]),
  ];
  const names = await namesOf(graph, involved, [roomId]);
  if (!names.rooms.has(roomId)) throw matrixError("M_NOT_FOUND", "The access graph knows no room with this id.");
  const sorted = managers.toSorted((a, b) => b.level - a.level || (a.userId < b.userId ? -1 : 1));
  const chains = sorted.map(({ userId }) => chainOf(byUser, userId));
  const items = sorted.map(({ userId, level }, index) => {
    const power = byUser.get(userId);
    const path = (chains[index] ?? []).map((step) => stepWords(step, names));
    return {
      user_id: userId,
      name: names.people.get(userId)?.name ?? null,
      level,
      by: power?.grantedBy ?? null,
      since_ts: power?.granted_ms ?? null,
      path: path.join(" ← ") || "everybody has this power",
    };
  });
  const links = chains.flat().filter(({ userId, grantedBy }) => userId !== grantedBy);
  const shown = [...new Set([...sorted.map(({ userId }) => userId), ...links.map(({ grantedBy }) => grantedBy)])];
  return {
    sentence: `${plural(items.length, "member", "members")} of ${names.room(roomId)} may change who has power there.`,
    items,
    nodes: [
      roomNode(names.rooms.get(roomId), roomId),
      ...shown.map((userId) => personNode(names.people.get(userId), userId)),
    ],
    edges: [
      ...sorted.map(({ userId, level }) =>
        edge("manages", [userId, roomId], { label: levelWords(level), properties: { level } }),
      ),
      ...links.map(({ userId, grantedBy, granted_ms }) =>
        edge("gave_power", [grantedBy, userId], {
          label: `gave power, ${day(granted_ms)}`,
          properties: { since_ts: granted_ms },
        }),
      ),
    ],
    roots: [roomId],
  };
}

/** From the person's power to whoever gave it, to whoever gave them theirs, up to the creator. */
export function chainOf(powers: ReadonlyMap<string, Power>, userId: string): Power[] {
  const chain: Power[] = [];
  for (let power = powers.get(userId); power && !chain.includes(power); power = powers.get(power.grantedBy))
    chain.push(power);
  return chain;
}

function stepWords({ userId, level, grantedBy, granted_ms }: Power, names: Names): string {
  const who = `${names.person(userId)} (${levelWords(level)})`;
  return userId === grantedBy ? `${who}, who made the room, ${day(granted_ms)}` : `${who}, ${day(granted_ms)}`;
}
