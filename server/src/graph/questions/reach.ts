/** What does this person or bot reach? */
import { matrixError } from "../../errors.ts";
import { edge, type Found, type Names, namesOf, personNode, plural, roomNode, roomName } from "../answer.ts";
import type { Graph } from "../port.ts";
import { type Reach, reachOf, type Way } from "../ways.ts";
import { WAY_WORDS } from "./who.ts";

const ORDER: Way["how"][] = ["member", "invited", "restricted", "public", "readable"];

export async function reach(graph: Graph, { userId }: { userId: string }): Promise<Found> {
  const [found, powers, names] = await Promise.all([
    reachOf(graph, userId),
    graph.powersOf(userId),
    namesOf(graph, [userId], []),
  ]);
  if (!names.people.has(userId)) throw matrixError("M_NOT_FOUND", "The access graph knows nobody with this id.");
  const { ways, rooms, memberships } = found;
  const levels = new Map(powers.map(({ roomId, level }) => [roomId, level]));
  const sorted = [...ways].toSorted(
    ([a, wayA], [b, wayB]) =>
      ORDER.indexOf(wayA.how) - ORDER.indexOf(wayB.how) ||
      (roomName(rooms.get(a), a) < roomName(rooms.get(b), b) ? -1 : 1),
  );
  const items = sorted.map(([roomId, { how, viaRoomId }]) => {
    const room = rooms.get(roomId);
    const row = memberships.get(roomId);
    const isIn = how === "member";
    const level = levels.get(roomId) ?? room?.usersDefault ?? 0;
    return {
      room_id: roomId,
      name: roomName(room, roomId),
      type: room?.isSpace ? "space" : "room",
      how,
      via: viaRoomId === undefined ? null : roomName(rooms.get(viaRoomId), viaRoomId),
      since_ts: isIn || how === "invited" ? (row?.since_ms ?? null) : null,
      by: isIn ? (row?.invitedBy ?? null) : null,
      manages: isIn && room !== undefined && level >= room.manageLevel,
      encrypted: room ? room.encrypted_ms !== null : null,
    };
  });
  return {
    sentence: sentenceOf(names, userId, found),
    items,
    nodes: [
      personNode(names.people.get(userId), userId),
      ...sorted.map(([roomId]) => roomNode(rooms.get(roomId), roomId)),
    ],
    edges: sorted.map(([roomId, { how, viaRoomId }]) =>
      viaRoomId === undefined
        ? edge(how, [userId, roomId], { label: WAY_WORDS[how] })
        : edge("lets_in", [viaRoomId, roomId], { label: "lets in members" }),
    ),
    roots: [userId],
  };
}

function sentenceOf(names: Names, userId: string, { ways, rooms }: Reach): string {
  const kinds = [...ways.values()].map(({ how }) => how);
  const count = (how: Way["how"]) => kinds.filter((each) => each === how).length;
  const spaces = [...ways.keys()].filter((roomId) => rooms.get(roomId)?.isSpace).length;
  const parts = [`member of ${count("member")}`];
  if (count("invited") > 0) parts.push(`invited to ${count("invited")}`);
  const more = count("public") + count("restricted");
  if (more > 0) parts.push(`may join ${more} more`);
  if (count("readable") > 0) parts.push(`may read ${count("readable")} that everybody can`);
  const of = spaces > 0 ? `, ${plural(spaces, "space")} among them` : "";
  return `${names.person(userId)} reaches ${plural(ways.size, "room")}${of}: ${parts.join(", ")}.`;
}
