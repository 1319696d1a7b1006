/**
 * Brings the access graph into Apache AGE, where the database has the extension and lets parley_graph use it: the graph is made, and filled
 * from the tables. From then on the triggers of the tables keep it. What an operator has to grant stands in
 * docs/operations/access-graph.md; without it the tables answer alone.
 */
import type { Context } from "../../context.ts";
import { asError } from "../../errors.ts";
import type { Transaction } from "../../worker/progress.ts";

export const GRAPH = "parley_access";
const VERTICES = ["Person", "Device", "Room", "Export", "LegalAccess"];
const EDGES = [
  "USES",
  "MEMBER_OF",
  "INVITED_TO",
  "ASKED_TO_JOIN",
  "LEFT",
  "BANNED_FROM",
  "STAYED_IN",
  "HAS_POWER_IN",
  "CONTAINS",
  "LETS_IN",
  "SHOWED_HISTORY",
  "HAS_DATA_OF",
  "FETCHED",
  "OPENS",
  "HOLDS",
];
/** In this order: edges find their ends. */
const TABLES = [
  "people",
  "rooms",
  "devices",
  "memberships",
  "stays",
  "powers",
  "nesting",
  "admissions",
  "visibilities",
  "exports",
  "fetches",
  "legal_access",
];
/** What nodes are looked up by. */
const KEYS = [
  ["Person", "user_id"],
  ["Room", "room_id"],
  ["Device", "user_id"],
  ["Export", "export_id"],
] as const;

/** What has been tried by this process, so that a missing right is told once. */
const told = new WeakSet<Context>();

/** Gives whether the graph is there now. */
export async function bringMirror(ctx: Context): Promise<boolean> {
  const extension = await ctx.db.graph.one("select 1 from pg_extension where extname = 'age'");
  if (!extension) return false;
  try {
    await ctx.db.graph.transaction(fill);
    return true;
  } catch (thrown) {
    const { message } = asError(thrown);
    if (!told.has(ctx))
      ctx.logger.info({ reason: message }, "Apache AGE is there, and can not be used for the access graph");
    told.add(ctx);
    return false;
  }
}

async function fill(db: Transaction): Promise<void> {
  // Whoever sets the projection back waits, and so does the next stretch.
  await db.query("select 1 from graph.progress for update");
  await create(db);
  for (const label of [...EDGES, ...VERTICES]) await db.query(`delete from ${GRAPH}."${label}"`);
  for (const table of TABLES) {
    const inserts = await db.query<{ sql: string }>("select graph.age_inserts($1, 'graph.' || $1) as sql", [table]);
    for (const { sql } of inserts) await db.query(sql);
  }
  await db.query("update graph.progress set mirrored = true");
}

/** The graph, and what a version before this one did not have in it. */
async function create(db: Transaction): Promise<void> {
  const known = await db.one("select 1 from ag_catalog.ag_graph where name = $1", [GRAPH]);
  if (!known) await db.query("select ag_catalog.create_graph($1)", [GRAPH]);
  const there = await db.query<{ name: string }>(
    "select l.name from ag_catalog.ag_label l join ag_catalog.ag_graph g on g.graphid = l.graph where g.name = $1",
    [GRAPH],
  );
  const isNew = (label: string) => !there.some(({ name }) => name === label);
  const [vertices, edges] = [VERTICES.filter(isNew), EDGES.filter(isNew)];
  for (const label of vertices) await db.query("select ag_catalog.create_vlabel($1, $2)", [GRAPH, label]);
  for (const label of edges) await db.query("select ag_catalog.create_elabel($1, $2)", [GRAPH, label]);
  for (const label of [...vertices, ...edges]) await db.query(`create index on ${GRAPH}."${label}" (id)`);
  for (const label of edges) {
    await db.query(`create index on ${GRAPH}."${label}" (start_id)`);
    await db.query(`create index on ${GRAPH}."${label}" (end_id)`);
  }
  for (const [label, key] of KEYS.filter(([name]) => isNew(name)))
    await db.query(
      `create index on ${GRAPH}."${label}" (ag_catalog.agtype_access_operator(variadic array[properties, '"${key}"'::ag_catalog.agtype]))`,
    );
}
