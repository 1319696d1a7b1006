/** The access graph in Apache AGE, asked in openCypher. What is several steps away is walked step by step: AGE's own paths of any length read the whole graph into memory first. */
import type { Db } from "../../db/database.ts";
import { rowOf, type TableName } from "../columns.ts";
import type {
  Admission,
  Device,
  Export,
  Fetch,
  LegalAccess,
  MembershipRow,
  Nesting,
  Person,
  Power,
  Room,
  Stay,
  Visibility,
} from "../model.ts";
import type { About, Graph } from "../port.ts";
import { GRAPH } from "./mirror.ts";

type Params = Record<string, unknown>;

/** A query whose only column is a map, or another value. */
const cypher = (body: string) =>
  `select value from ag_catalog.cypher('${GRAPH}', $cypher$ ${body} $cypher$, $1) as (value ag_catalog.agtype)`;

/** Any function of the extension loads it into the connection, which LOAD may be forbidden to. Operators are found by the search path. */
const PREPARE = "select set_config('search_path', 'ag_catalog, pg_catalog', true), ag_catalog.agtype_build_list()";

const ofPerson = (pattern: string, result: string) =>
  cypher(`match (p:Person)-${pattern} where p.user_id = $id return properties(${result})`);
const ofRooms = (pattern: string, room: string, result: string) =>
  cypher(`unwind $ids as wanted match ${pattern} where ${room}.room_id = wanted return ${result}`);

const QUERIES = {
  people: cypher("unwind $ids as wanted match (p:Person) where p.user_id = wanted return properties(p)"),
  rooms: ofRooms("(r:Room)", "r", "properties(r)"),
  devicesOf: ofPerson("[:USES]->(d:Device)", "d"),
  // One label at a time: an edge of any label is looked for among the edges of all of them.
  joinedOf: ofPerson("[m:MEMBER_OF]->(r:Room)", "m"),
  invitedOf: ofPerson("[m:INVITED_TO]->(r:Room)", "m"),
  askedOf: ofPerson("[m:ASKED_TO_JOIN]->(r:Room)", "m"),
  leftOf: ofPerson("[m:LEFT]->(r:Room)", "m"),
  bannedOf: ofPerson("[m:BANNED_FROM]->(r:Room)", "m"),
  joined: ofRooms("(p:Person)-[m:MEMBER_OF]->(r:Room)", "r", "properties(m)"),
  invited: ofRooms("(p:Person)-[m:INVITED_TO]->(r:Room)", "r", "properties(m)"),
  banned: ofRooms("(p:Person)-[m:BANNED_FROM]->(r:Room)", "r", "properties(m)"),
  staysOf: ofPerson("[s:STAYED_IN]->(r:Room)", "s"),
  visibilitiesOf: ofRooms("(r:Room)-[v:SHOWED_HISTORY]->(s:Room)", "r", "properties(v)"),
  openRooms: cypher(
    "match (r:Room) where r.join_rule = 'public' or r.visibility = 'world_readable' return properties(r)",
  ),
  admissionsFrom: ofRooms("(v:Room)-[a:LETS_IN]->(r:Room)", "r.can_vouch = true and v", "properties(a)"),
  admissionsInto: ofRooms("(v:Room)-[a:LETS_IN]->(r:Room)", "r.can_vouch = true and r", "properties(a)"),
  powersOf: ofPerson("[w:HAS_POWER_IN]->(r:Room)", "w"),
  powersIn: ofRooms("(p:Person)-[w:HAS_POWER_IN]->(r:Room)", "r", "properties(w)"),
  spacesOf: ofRooms("(s:Room)-[n:CONTAINS]->(r:Room)", "r", "properties(n)"),
  managersOf: ofRooms(
    "(p:Person)-[w:HAS_POWER_IN]->(r:Room), (p)-[m:MEMBER_OF]->(r)",
    "w.level >= r.manage_level and r",
    "{roomId: r.room_id, userId: p.user_id, level: w.level}",
  ),
  openlyManaged: ofRooms(
    "(r:Room)",
    "r.users_default >= r.manage_level and r",
    "{roomId: r.room_id, level: r.users_default}",
  ),
  memberCounts: cypher(
    "unwind $ids as wanted match (p:Person)-[m:MEMBER_OF]->(r:Room) where r.room_id = wanted with r.room_id as room, count(*) as members return {roomId: room, members: members}",
  ),
  managed: cypher(
    "match (p:Person)-[w:HAS_POWER_IN]->(r:Room), (p)-[m:MEMBER_OF]->(r) where w.level >= r.manage_level return distinct r.room_id",
  ),
  roomIds: cypher("match (r:Room) return {roomId: r.room_id, isOpen: r.users_default >= r.manage_level}"),
  administrators: cypher("match (p:Person) where p.is_admin = true or p.role is not null return properties(p)"),
  exports: cypher("match (x:Export) return properties(x)"),
  exportsOfPerson: cypher("match (x:Export)-[:HAS_DATA_OF]->(p:Person) where p.user_id = $id return properties(x)"),
  exportsWithPerson: cypher(
    "match (p:Person)-[s:STAYED_IN]->(r:Room), (x:Export)-[:HAS_DATA_OF]->(r) where p.user_id = $id and s.from_ms <= x.made_ms return properties(x)",
  ),
  exportsOfRoom: cypher("match (x:Export)-[:HAS_DATA_OF]->(r:Room) where r.room_id = $id return properties(x)"),
  exportsWithRoom: cypher(
    "match (p:Person)-[s:STAYED_IN]->(r:Room), (x:Export)-[:HAS_DATA_OF]->(p) where r.room_id = $id and s.from_ms <= x.made_ms return properties(x)",
  ),
  exportsMade: cypher("match (x:Export) where x.made_by = $id return properties(x)"),
  exportsFetched: ofPerson("[:FETCHED]->(x:Export)", "x"),
  fetchesOf: cypher(
    "unwind $ids as wanted match (p:Person)-[f:FETCHED]->(x:Export) where x.export_id = wanted return properties(f)",
  ),
  accesses: cypher("match (x:LegalAccess) return properties(x)"),
  accessToPerson: cypher("match (x:LegalAccess)-[:OPENS]->(p:Person) where p.user_id = $id return properties(x)"),
  accessWithPerson: cypher(
    "match (p:Person)-[s:STAYED_IN]->(r:Room), (x:LegalAccess)-[:OPENS]->(r) where p.user_id = $id and s.from_ms <= x.ends_ms return properties(x)",
  ),
  accessToRoom: cypher("match (x:LegalAccess)-[:OPENS]->(r:Room) where r.room_id = $id return properties(x)"),
  accessWithRoom: cypher(
    "match (p:Person)-[s:STAYED_IN]->(r:Room), (x:LegalAccess)-[:OPENS]->(p) where r.room_id = $id and s.from_ms <= x.ends_ms return properties(x)",
  ),
  accessOf: ofPerson("[:HOLDS]->(x:LegalAccess)", "x"),
  unseen: cypher("match (d:Device) where d.last_seen_ms < $before and d.ended_ms is null return properties(d)"),
  roomCounts: cypher(
    "unwind $ids as wanted match (p:Person)-[m:MEMBER_OF]->(r:Room) where p.user_id = wanted with p.user_id as person, count(*) as rooms return {userId: person, rooms: rooms}",
  ),
};

type Query = keyof typeof QUERIES;
const EXPORTS: Record<About["of"], Query[]> = {
  all: ["exports"],
  person: ["exportsOfPerson", "exportsWithPerson"],
  room: ["exportsOfRoom", "exportsWithRoom"],
  by: ["exportsMade", "exportsFetched"],
};
const ACCESS: Record<About["of"], Query[]> = {
  all: ["accesses"],
  person: ["accessToPerson", "accessWithPerson"],
  room: ["accessToRoom", "accessWithRoom"],
  by: ["accessOf"],
};
const idOf = (about: About) => (about.of === "all" ? {} : { id: about.of === "room" ? about.roomId : about.userId });
/** By several ways, or fetched several times, one is found more than once. */
const once = <T>(rows: readonly T[], key: (row: T) => number) => [
  ...new Map(rows.map((row) => [key(row), row])).values(),
];

/** The graph as Apache AGE has it. */
export function ageGraph(db: Db): Graph {
  /** Several queries see one moment, on one connection. */
  const askAll = <T>(queries: readonly (keyof typeof QUERIES)[], params: Params): Promise<T[]> =>
    db.transaction(async (within) => {
      await within.query(PREPARE);
      const found: T[] = [];
      for (const query of queries) {
        const rows = await within.query<{ value: string }>(QUERIES[query], [JSON.stringify(params)]);
        for (const { value } of rows) found.push(JSON.parse(value) as T);
      }
      return found;
    });
  const ask = <T>(query: keyof typeof QUERIES, params: Params): Promise<T[]> => askAll<T>([query], params);
  const rows = async <T extends object>(
    table: TableName,
    query: keyof typeof QUERIES | readonly (keyof typeof QUERIES)[],
    params: Params,
  ): Promise<T[]> => (await askAll<Params>([query].flat(), params)).map((properties) => rowOf(table, properties) as T);
  const admissions =
    (query: "admissionsFrom" | "admissionsInto", next: (admission: Admission) => string) => (ids: readonly string[]) =>
      walk(ids, (step) => rows<Admission>("admissions", query, { ids: step }), next);
  const graph: Graph = {
    kind: "age",
    people: (ids) => rows<Person>("people", "people", { ids }),
    rooms: (ids) => rows<Room>("rooms", "rooms", { ids }),
    devicesOf: (id) => rows<Device>("devices", "devicesOf", { id }),
    membershipsOf: (id) =>
      rows<MembershipRow>("memberships", ["joinedOf", "invitedOf", "askedOf", "leftOf", "bannedOf"], { id }),
    membersOf: (ids) => rows<MembershipRow>("memberships", ["joined", "invited", "banned"], { ids }),
    staysOf: (id) => rows<Stay>("stays", "staysOf", { id }),
    visibilitiesOf: (ids) => rows<Visibility>("visibilities", "visibilitiesOf", { ids }),
    openRooms: () => rows<Room>("rooms", "openRooms", {}),
    admissionsFrom: admissions("admissionsFrom", ({ roomId }) => roomId),
    admissionsInto: admissions("admissionsInto", ({ viaRoomId }) => viaRoomId),
    powersOf: (id) => rows<Power>("powers", "powersOf", { id }),
    powersIn: (ids) => rows<Power>("powers", "powersIn", { ids }),
    spacesOf: (ids) => rows<Nesting>("nesting", "spacesOf", { ids }),
    async managersOf(ids) {
      const [named, open] = await Promise.all([
        ask<{ roomId: string; userId: string; level: number }>("managersOf", { ids }),
        ask<{ roomId: string; level: number }>("openlyManaged", { ids }),
      ]);
      return open.length === 0 ? named : [...named, ...(await unnamed(graph, open))];
    },
    async memberCounts(ids) {
      const counts = await ask<{ roomId: string; members: number }>("memberCounts", { ids });
      return new Map(counts.map(({ roomId, members }) => [roomId, members]));
    },
    async unmanaged() {
      const all = ask<{ roomId: string; isOpen: boolean }>("roomIds", {});
      return unmanaged(graph, await Promise.all([all, ask<string>("managed", {})]));
    },
    exports: async (about) =>
      once(await rows<Export>("exports", EXPORTS[about.of], idOf(about)), ({ exportId }) => exportId),
    fetchesOf: (ids) => rows<Fetch>("fetches", "fetchesOf", { ids }),
    legalAccess: async (about) =>
      once(await rows<LegalAccess>("legal_access", ACCESS[about.of], idOf(about)), ({ accessId }) => accessId),
    administrators: () => rows<Person>("people", "administrators", {}),
    devicesUnseenSince: (before) => rows<Device>("devices", "unseen", { before }),
    async roomCounts(ids) {
      const counts = await ask<{ userId: string; rooms: number }>("roomCounts", { ids });
      return new Map(counts.map(({ userId, rooms: count }) => [userId, count]));
    },
  };
  return graph;
}

/** Of all rooms, those that are not managed by somebody with power by name, nor by anybody else. */
async function unmanaged(
  graph: Graph,
  [all, managed]: [{ roomId: string; isOpen: boolean }[], string[]],
): Promise<{ roomId: string; members: number }[]> {
  const open = all.filter(({ isOpen }) => isOpen).map(({ roomId }) => roomId);
  const openly = open.length === 0 ? [] : await graph.managersOf(open);
  const known = new Set([...managed, ...openly.map(({ roomId }) => roomId)]);
  const left = all.map(({ roomId }) => roomId).filter((roomId) => !known.has(roomId));
  const counts = left.length === 0 ? new Map<string, number>() : await graph.memberCounts(left);
  return left.map((roomId) => ({ roomId, members: counts.get(roomId) ?? 0 }));
}

/** Members that are not named in rooms where that is power enough. */
async function unnamed(graph: Graph, open: readonly { roomId: string; level: number }[]) {
  const levels = new Map(open.map(({ roomId, level }) => [roomId, level]));
  const ids = [...levels.keys()];
  const [members, powers] = await Promise.all([graph.membersOf(ids), graph.powersIn(ids)]);
  const named = new Set(powers.map(({ roomId, userId }) => `${roomId} ${userId}`));
  return members
    .filter(({ membership, roomId, userId }) => membership === "join" && !named.has(`${roomId} ${userId}`))
    .map(({ roomId, userId }) => ({ roomId, userId, level: levels.get(roomId) as number }));
}

/** Step by step from these rooms, each once. */
async function walk(
  from: readonly string[],
  step: (ids: readonly string[]) => Promise<Admission[]>,
  next: (admission: Admission) => string,
): Promise<Admission[]> {
  const seen = new Set(from);
  const found: Admission[] = [];
  for (let ids = [...seen]; ids.length > 0;) {
    const admissions = await step(ids);
    found.push(...admissions);
    ids = [...new Set(admissions.map(next))].filter((id) => !seen.has(id));
    for (const id of ids) seen.add(id);
  }
  return found;
}
