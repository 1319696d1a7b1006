/** The way from a person to a room, step by step: in words, and as nodes and edges. */
import { day, edge, type GraphEdge, type GraphNode, type Names, personNode, roomNode, type Row } from "./answer.ts";
import type { Admission, MembershipRow } from "./model.ts";
import type { Way } from "./ways.ts";

export interface PathOptions {
  userId: string;
  roomId: string;
  ways: ReadonlyMap<string, Way>;
  memberships: ReadonlyMap<string, MembershipRow>;
  admissions: readonly Admission[];
  names: Names;
}

export interface Path {
  /** "Ana → member of Finance (invited by Tom, 4 May 2026) → lets in members: Payroll". */
  sentence: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/** The rooms of the way, the first one that the person has to do with first. */
export function roomsOnWay(ways: ReadonlyMap<string, Way>, roomId: string): string[] {
  const via = ways.get(roomId)?.viaRoomId;
  return via === undefined ? [roomId] : [...roomsOnWay(ways, via), roomId];
}

export function pathOf(options: PathOptions): Path {
  const { userId, roomId, ways, names, admissions } = options;
  const rooms = roomsOnWay(ways, roomId);
  const words = [names.person(userId)];
  const nodes = [personNode(names.people.get(userId), userId)];
  const edges: GraphEdge[] = [];
  for (const [index, each] of rooms.entries()) {
    nodes.push(roomNode(names.rooms.get(each), each));
    const before = rooms[index - 1];
    if (before === undefined) {
      const step = firstStep(options, each);
      words.push(step.words);
      edges.push(step.edge);
      continue;
    }
    const rule = admissions.find((admission) => admission.roomId === each && admission.viaRoomId === before);
    const granted = rule ? ` (since ${day(rule.since_ms)}, by ${names.person(rule.byUser)})` : "";
    words.push(`whose members may join ${names.room(each)}${granted}`);
    const properties: Row = rule ? { since_ts: rule.since_ms, by: rule.byUser } : {};
    edges.push(edge("lets_in", [before, each], { label: "lets in members", properties }));
  }
  return { sentence: `${words.join(" → ")}.`, nodes, edges };
}

function firstStep(
  { userId, ways, memberships, names }: PathOptions,
  roomId: string,
): { words: string; edge: GraphEdge } {
  const row = memberships.get(roomId);
  const room = names.room(roomId);
  const how = ways.get(roomId)?.how;
  if (how === "member" && row) {
    const properties = { since_ts: row.since_ms, by: row.invitedBy ?? row.byUser };
    return {
      words: `member of ${room} (${granted(row, names)})`,
      edge: edge("member", [userId, roomId], { label: "member of", properties }),
    };
  }
  if (how === "invited" && row) {
    const properties = { since_ts: row.since_ms, by: row.byUser };
    const words = `invited to ${room} by ${names.person(row.byUser)}, ${day(row.since_ms)}`;
    return { words, edge: edge("invited", [userId, roomId], { label: "invited to", properties }) };
  }
  if (how === "public")
    return { words: `${room} is open to everybody`, edge: edge("may_join", [userId, roomId], { label: "may join" }) };
  return { words: `${room} can be read by everybody`, edge: edge("may_read", [userId, roomId], { label: "may read" }) };
}

/** How a member came in. */
export function granted({ invitedBy, invited_ms, vouchedBy, since_ms }: MembershipRow, names: Names): string {
  if (invitedBy !== null) return `granted by ${names.person(invitedBy)}, ${day(invited_ms)}`;
  if (vouchedBy !== null)
    return `joined as a member of another room, ${day(since_ms)}; ${names.person(vouchedBy)} vouched`;
  return `joined by themselves, ${day(since_ms)}`;
}
