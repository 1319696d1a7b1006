/** What has left the server as exports, and who may take more under legal access? */
import { edge, type Found, type GraphEdge, type GraphNode, type Names } from "../answer.ts";
import { namesOf, personNode, plural, roomNode, type Row } from "../answer.ts";
import type { Export, Fetch, LegalAccess } from "../model.ts";
import type { About, Graph } from "../port.ts";

export interface Taken {
  exports: Export[];
  /** By the number of the export, the first one first. */
  fetches: Map<number, Fetch[]>;
  /** That is in force. */
  access: LegalAccess[];
  names: Names;
}

export async function takenOf(graph: Graph, about: About, now_ms: number): Promise<Taken> {
  const [all, every] = await Promise.all([graph.exports(about), graph.legalAccess(about)]);
  const exports = all.toSorted((a, b) => b.exportId - a.exportId);
  const access = every.filter(({ ends_ms }) => ends_ms > now_ms).toSorted((a, b) => b.accessId - a.accessId);
  const fetched = exports.length > 0 ? await graph.fetchesOf(exports.map(({ exportId }) => exportId)) : [];
  const sorted = fetched.toSorted((a, b) => a.fetchId - b.fetchId);
  const people = [
    ...exports.flatMap(({ userId, madeBy }) => [userId, madeBy]),
    ...sorted.map(({ userId }) => userId),
    ...access.flatMap(({ userId, holder, grantedBy }) => [userId, holder, grantedBy]),
  ];
  const rooms = [...exports, ...access].flatMap(({ roomId }) => roomId ?? []);
  const names = await namesOf(
    graph,
    people.filter((each) => each !== null),
    rooms,
  );
  return { exports, fetches: Map.groupBy(sorted, ({ exportId }) => exportId), access, names };
}

export type OfWhom = Pick<Export, "userId" | "roomId">;
const subject = ({ userId, roomId }: OfWhom): string => (userId ?? roomId) as string;
export const subjectName = (of: OfWhom, names: Names) =>
  of.roomId === null ? names.person(of.userId as string) : names.room(of.roomId);
const exportNodeId = (exportId: number) => `export ${exportId}`;
const accessNodeId = (accessId: number) => `legal access ${accessId}`;

export interface TakenAsked {
  userId?: string | undefined;
  roomId?: string | undefined;
  now_ms: number;
}

export async function taken(graph: Graph, { userId, roomId, now_ms }: TakenAsked): Promise<Found> {
  const about: About =
    roomId !== undefined ? { of: "room", roomId } : userId !== undefined ? { of: "person", userId } : { of: "all" };
  const found = await takenOf(graph, about, now_ms);
  const { exports, fetches, access, names } = found;
  const out = exports.filter(({ exportId }) => fetches.has(exportId));
  const open = exports.filter(({ until_ms }) => until_ms > now_ms).length;
  return {
    sentence: `${plural(exports.length, "export")} ${exports.length === 1 ? "was" : "were"} made, of which ${out.length} left the server; ${plural(access.length, "legal access", "legal accesses")} ${access.length === 1 ? "is" : "are"} in force.`,
    details: [
      ...(open > 0 ? [`${plural(open, "export")} can still be fetched.`] : []),
      ...(about.of === "all" || exports.length === 0
        ? []
        : ["An export of a person has what they wrote in every room; one of a room what everybody wrote there."]),
    ],
    items: [...access.map((each) => accessRow(each, names)), ...exports.flatMap((each) => exportRows(each, found))],
    ...pictureOf(found),
    roots: about.of === "all" ? [] : [(roomId ?? userId) as string],
  };
}

function accessRow(access: LegalAccess, names: Names): Row {
  const { accessId, holder, grantedBy, granted_ms, ends_ms, caseReference } = access;
  const rest = { by: grantedBy, since_ts: granted_ms, until_ts: ends_ms, taken_by: null, taken_ts: null };
  return {
    what: "legal access",
    number: accessId,
    of: subject(access),
    name: subjectName(access, names),
    holder,
    case_reference: caseReference,
    ...rest,
  };
}

/** A row for each time that it was fetched, and one for an export that never was. */
function exportRows(each: Export, { fetches, names }: Taken): Row[] {
  const { exportId, madeBy, made_ms, until_ms } = each;
  const rows: (Fetch | undefined)[] = fetches.get(exportId) ?? [undefined];
  return rows.map((fetch) => ({
    what: "export",
    number: exportId,
    of: subject(each),
    name: subjectName(each, names),
    holder: null,
    case_reference: null,
    by: madeBy,
    since_ts: made_ms,
    until_ts: until_ms,
    taken_by: fetch?.userId ?? null,
    taken_ts: fetch?.fetched_ms ?? null,
  }));
}

export function pictureOf({ exports, fetches, access, names }: Taken): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const subjectNode = (of: OfWhom) =>
    of.roomId === null
      ? personNode(names.people.get(of.userId as string), of.userId as string)
      : roomNode(names.rooms.get(of.roomId), of.roomId);
  const person = (userId: string) => personNode(names.people.get(userId), userId);
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  for (const each of access) {
    const { accessId, caseReference, holder, granted_ms, grantedBy, ends_ms } = each;
    const id = accessNodeId(accessId);
    const properties = { case_reference: caseReference, by: grantedBy, since_ts: granted_ms, until_ts: ends_ms };
    nodes.push(subjectNode(each), { id, type: "legal access", label: caseReference, properties }, person(holder));
    edges.push(edge("holds", [holder, id]), edge("opens", [id, subject(each)]));
  }
  for (const each of exports) {
    const { exportId, madeBy, made_ms, until_ms } = each;
    const id = exportNodeId(exportId);
    const properties = { made_by: madeBy, since_ts: made_ms, until_ts: until_ms };
    nodes.push(subjectNode(each), { id, type: "export", label: `Export ${exportId}`, properties }, person(madeBy));
    edges.push(edge("has_data_of", [id, subject(each)]), edge("made", [madeBy, id]));
    for (const { userId, fetched_ms } of fetches.get(exportId) ?? []) {
      nodes.push(person(userId));
      edges.push(edge("fetched", [userId, id], { properties: { since_ts: fetched_ms } }));
    }
  }
  return { nodes, edges };
}
