/** Rooms that nobody can administer any more, and rooms that nobody is in. */
import { limits } from "../../limits.ts";
import { type Found, namesOf, plural, roomNode } from "../answer.ts";
import type { Graph } from "../port.ts";

export async function orphans(graph: Graph): Promise<Found> {
  const rows = (await graph.unmanaged()).toSorted((a, b) => b.members - a.members || (a.roomId < b.roomId ? -1 : 1));
  const names = await namesOf(
    graph,
    [],
    rows.slice(0, limits.graphTable_rows).map(({ roomId }) => roomId),
  );
  const empty = rows.filter(({ members }) => members === 0).length;
  const items = rows.map(({ roomId, members }) => {
    const room = names.rooms.get(roomId);
    const type = room?.isSpace ? "space" : "room";
    return {
      room_id: roomId,
      name: names.room(roomId),
      type,
      members,
      state: members === 0 ? "nobody is in it" : "nobody can manage it",
      created_ts: room?.created_ms ?? null,
    };
  });
  return {
    sentence: `${plural(rows.length - empty, "room")} with members ${rows.length - empty === 1 ? "has" : "have"} nobody who could manage ${rows.length - empty === 1 ? "it" : "them"}, and in ${plural(empty, "room")} is nobody at all.`,
    items,
    nodes: rows.slice(0, limits.graphTable_rows).map(({ roomId }) => roomNode(names.rooms.get(roomId), roomId)),
    edges: [],
    roots: [],
  };
}
