/**
 * Brings the access graph into Apache AGE, where the database has the extension and lets parley_graph use it: the graph is made, and filled
 * from the tables. From then on the triggers of the tables keep it. What an operator has to grant stands in
 * docs/operations/access-graph.md; without it the tables answer alone.
 */
import type { Context } from "../../context.ts";
import { asError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Transaction } from "../../db/database.ts";

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

/** What was tried in vain by this process: why, told once for each reason, and when it is tried again. */
const failed = new WeakMap<Context, { reason: string; again_ms: number }>();

/** Gives whether the graph is there now. */
export async function bringMirror(ctx: Context): Promise<boolean> {
  const from_ms = ctx.seams.monotonic_ms();
  const before = failed.get(ctx);
  if (before && from_ms < before.again_ms) return false;
  const extension = await ctx.db.graph.one("select 1 from pg_extension where extname = 'age'");
  if (!extension) return false;
  try {
    await ctx.db.graph.transaction(fill);
    failed.delete(ctx);
    return true;
  } catch (thrown) {
    const reason = reasonOf(thrown);
    if (reason !== before?.reason)
      ctx.logger.warn({ reason }, "Apache AGE is there, and can not be used for the access graph");
    // A missing right shows at once; what took long before it failed is not begun again and again.
    const now_ms = ctx.seams.monotonic_ms();
    failed.set(ctx, { reason, again_ms: now_ms + (now_ms - from_ms) * limits.graphMirrorRest });
    return false;
  }
}

/** That the database is away is told with what it said. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = asError(thrown);
  return cause === undefined ? message : `${message} (${asError(cause).message})`;
}

async function fill(db: Transaction): Promise<void> {
  // Whoever sets the projection back waits, and so does the next stretch.
  await db.query("select 1 from graph.progress for update");
  await create(db);
  for (const label of [...EDGES, ...VERTICES]) await empty(db, label);
  for (const table of TABLES) await copy(db, table);
  await db.query("update graph.progress set mirrored = true");
}

// A large table goes by pages: each statement has to be answered in time (limits.databaseAnswer_ms), also by a database with much to do.

async function empty(db: Transaction, label: string): Promise<void> {
  const some = `delete from ${GRAPH}."${label}" where ctid = any (array(select ctid from ${GRAPH}."${label}" limit ${limits.graphMirrorPage}))`;
  while ((await db.change(some)) > 0);
}

/** The bounds of a page are settings of the transaction, so that the texts stay the same and are prepared once. */
const bound = (name: "after" | "until") => `current_setting('parley_graph.${name}')::bigint`;

async function copy(db: Transaction, table: string): Promise<void> {
  const page = `(select * from graph.${table} where id > ${bound("after")} and id <= ${bound("until")})`;
  const inserts = await db.query<{ sql: string }>("select graph.age_inserts($1, $2) as sql", [table, page]);
  const next = `select set_config('parley_graph.after', $1::text, true), set_config('parley_graph.until', max(id)::text, true), max(id) as until
    from (select id from graph.${table} where id > $1::bigint order by id limit ${limits.graphMirrorPage}) p`;
  for (let after = 0; ;) {
    const { until } = (await db.one<{ until: number | null }>(next, [after])) as { until: number | null };
    if (until === null) return;
    for (const { sql } of inserts) await db.query(sql);
    after = until;
  }
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
