/** Who can read this room? */
import { matrixError } from "../../errors.ts";
import { edge, type Found, namesOf, personNode, plural, roomNode, roomName } from "../answer.ts";
import type { Graph } from "../port.ts";
import { type Readers, readersOf, type Way } from "../ways.ts";

const ORDER: Way["how"][] = ["member", "invited", "restricted", "public", "readable"];
export const WAY_WORDS: Record<Way["how"], string> = {
  member: "is a member",
  invited: "is invited",
  restricted: "may join by another room",
  public: "may join",
  readable: "may read",
};

export async function whoCanRead(graph: Graph, { roomId }: { roomId: string }): Promise<Found> {
  const readers = await readersOf(graph, roomId);
  if (!readers) throw matrixError("M_NOT_FOUND", "The access graph knows no room with this id.");
  const { room, ways, memberships, rooms } = readers;
  const rows = new Map(memberships.map((row) => [row.userId, row]));
  const sorted = [...ways].toSorted(
    ([a, wayA], [b, wayB]) => ORDER.indexOf(wayA.how) - ORDER.indexOf(wayB.how) || (a < b ? -1 : 1),
  );
  const names = await namesOf(graph, [...ways.keys()], []);
  const items = sorted.map(([userId, { how, viaRoomId }]) => {
    const row = rows.get(userId);
    const by = how === "member" ? (row?.invitedBy ?? null) : how === "invited" ? (row?.byUser ?? null) : null;
    const person = names.people.get(userId);
    const via = viaRoomId === undefined ? null : roomName(rooms.get(viaRoomId), viaRoomId);
    const since_ts = how === "member" || how === "invited" ? (row?.since_ms ?? null) : null;
    return { user_id: userId, name: person?.name ?? null, how, via, since_ts, by, status: person?.status ?? "unknown" };
  });
  const vias = [...new Set([...ways.values()].flatMap(({ viaRoomId }) => viaRoomId ?? []))];
  return {
    sentence: sentenceOf(readers),
    details: detailsOf(readers),
    items,
    nodes: [
      roomNode(room, roomId),
      ...vias.map((id) => roomNode(rooms.get(id), id)),
      ...sorted.map(([userId]) => personNode(names.people.get(userId), userId)),
    ],
    edges: [
      ...vias.map((id) => edge("lets_in", [id, roomId], { label: "lets in members" })),
      ...sorted.map(([userId, { how, viaRoomId }]) =>
        edge(how === "restricted" ? "reaches" : how, [userId, viaRoomId ?? roomId], { label: WAY_WORDS[how] }),
      ),
    ],
    roots: [roomId],
  };
}

function sentenceOf({ room, ways, everyone }: Readers): string {
  const name = roomName(room, room.roomId);
  const count = (how: Way["how"]) => [...ways.values()].filter((way) => way.how === how).length;
  const parts = [plural(count("member"), "member")];
  if (count("invited") > 0) parts.push(`${count("invited")} invited`);
  if (count("restricted") > 0) parts.push(`${count("restricted")} who may join by another room`);
  if (!everyone) return `${plural(ways.size, "person", "people")} can read ${name}: ${parts.join(", ")}.`;
  const whole = everyone.how === "readable" ? "without being in it" : "by joining it";
  return `Everybody with an account can read ${name} ${whole}; of them ${parts.join(", ")}.`;
}

function detailsOf({ room, excluded, everyone, rooms }: Readers): string[] {
  const via = everyone?.viaRoomId;
  return [
    ...(via ? [`Everybody gets there by ${roomName(rooms.get(via), via)}, whose members may join.`] : []),
    ...(everyone && excluded.size > 0
      ? [`${plural(excluded.size, "person", "people")} can not: they are banned.`]
      : []),
    `New members see ${{ shared: "all of its history", world_readable: "all of its history", invited: "what was sent since they were invited", joined: "what is sent from then on" }[room.visibility] ?? "its history"}.`,
    ...(room.encrypted_ms === null ? ["It is not encrypted: the server could read what is sent."] : []),
  ];
}
