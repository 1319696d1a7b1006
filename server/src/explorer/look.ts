/** What there is in a database: its graphs, and of one the labels, edge types and properties with counts. */
import { type ForeignConnection, ForeignError } from "../db/foreign.ts";
import { limits } from "../limits.ts";
import { parseAgtype } from "./agtype.ts";
import { noAge, queryFailure, unreachableBecause } from "./failures.ts";
import { loadAge, takeFrom, type Way } from "./run.ts";
import { matrixError, MatrixError } from "../errors.ts";
import type { Timer } from "../seams.ts";

export interface LabelInfo {
  name: string;
  count: number;
  /** Whether the count is the database's own estimate: counting took too long. */
  is_estimate: boolean;
  /** Those of the first elements, by name, with the kinds of values that they have. */
  properties: { name: string; kinds: string[] }[];
}

export interface EdgeInfo extends LabelInfo {
  /** Which labels the first edges go between. */
  between: { from: string; to: string }[];
}

export interface GraphSchema {
  labels: LabelInfo[];
  edges: EdgeInfo[];
  /** Whether there are more than are told. */
  has_more: boolean;
}

/** Cuts a connection that goes on for longer: what the database limits itself is no help where it, or the way to it, hangs. */
function cutAfter(time_ms: number, { seams }: Way, connection: ForeignConnection): Timer {
  return seams.after(time_ms, () => connection.cut());
}

/** Runs what only looks: in a transaction that is rolled back, with a limit on the time of each statement and of all. */
export async function look<T>(way: Way, act: (connection: ForeignConnection) => Promise<T>): Promise<T> {
  const taken = await takeFrom(way);
  const { connection } = taken;
  const patience = cutAfter(limits.explorerTimeoutMost_ms, way, connection);
  try {
    connection.limitAnswer(limits.explorerAnswer_bytes);
    await loadAge(connection);
    await connection.query("begin read only");
    await connection.query(
      "select set_config('search_path', 'ag_catalog, pg_catalog', true), set_config('statement_timeout', $1, true)",
      [`${limits.explorerTimeout_ms}`],
    );
    return await act(connection);
  } catch (thrown) {
    const ran = { cypher: "", statement: { offset: 0 }, timeout_ms: limits.explorerTimeout_ms, isOverdue: false };
    throw queryFailure(thrown, ran);
  } finally {
    connection.limitAnswer(Infinity);
    if (!connection.isBroken()) await connection.query("rollback").catch(() => connection.cut());
    patience.cancel();
    taken.release();
  }
}

export function graphsOf(way: Way): Promise<{ name: string; labels: number; edges: number }[]> {
  return look(way, async (connection) => {
    const rows = await connection.query(
      `select g.name, count(*) filter (where l.kind = 'v' and l.name not like '\\_ag\\_%'),
         count(*) filter (where l.kind = 'e' and l.name not like '\\_ag\\_%')
       from ag_catalog.ag_graph g left join ag_catalog.ag_label l on l.graph = g.graphid group by g.name order by g.name limit $1`,
      [limits.explorerGraphs],
    );
    return rows.map(([name, labels, edges]) => ({ name: name ?? "", labels: Number(labels), edges: Number(edges) }));
  });
}

interface Label {
  id: string;
  name: string;
  isVertex: boolean;
  /** Quoted by the database: a table of it. */
  table: string;
  estimate: number;
}

/** Counts for as long as one statement may take; what is left is estimated. */
export function schemaOf(way: Way, graph: string): Promise<GraphSchema> {
  const late_ms = way.seams.monotonic_ms() + limits.explorerTimeout_ms;
  return look(way, async (connection) => {
    const all = await labelsOf(connection, graph);
    const labels = all.slice(0, limits.explorerLabels);
    const names = new Map(labels.map(({ id, name }) => [id, name]));
    const infos: (LabelInfo & { isVertex: boolean; between: EdgeInfo["between"] })[] = [];
    for (const label of labels) {
      const { isVertex, name } = label;
      if (name.startsWith("_ag_label_")) continue;
      const between = isVertex ? [] : await betweenOf(connection, label, names);
      const isLate = way.seams.monotonic_ms() > late_ms;
      const counted = isLate ? estimateOf(label) : await countOf(connection, label);
      infos.push({ name, isVertex, between, ...counted, properties: await propertiesOf(connection, label) });
    }
    return {
      labels: infos.filter(({ isVertex }) => isVertex).map(({ isVertex: _, between: __, ...info }) => info),
      edges: infos.filter(({ isVertex }) => !isVertex).map(({ isVertex: _, ...info }) => info),
      has_more: all.length > limits.explorerLabels,
    };
  });
}

async function labelsOf(connection: ForeignConnection, graph: string): Promise<Label[]> {
  const [found] = await connection.query("select graphid from ag_catalog.ag_graph where name = $1", [graph]);
  if (!found) throw matrixError("M_NOT_FOUND", "There is no such graph in this database.");
  const rows = await connection.query(
    `select l.id, l.name, l.kind, format('%I.%I', n.nspname, c.relname), c.reltuples
     from ag_catalog.ag_label l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
     where l.graph = $1 order by l.name limit $2`,
    [found[0], limits.explorerLabels + 1],
  );
  return rows.map(([id, name, kind, table, estimate]) => ({
    id: id ?? "",
    name: name ?? "",
    isVertex: kind === "v",
    table: table ?? "",
    estimate: Math.max(0, Number(estimate)),
  }));
}

const estimateOf = ({ estimate }: Label) => ({ count: estimate, is_estimate: true });

/** Of a label alone: the tables of others inherit from it. What takes too long is estimated. */
async function countOf(connection: ForeignConnection, label: Label) {
  await connection.query("savepoint counting");
  try {
    const [row] = await connection.query(`select count(*) from only ${label.table}`);
    return { count: Number(row?.[0]), is_estimate: false };
  } catch (thrown) {
    if (!(thrown instanceof ForeignError) || thrown.code !== "57014") throw thrown;
    await connection.query("rollback to savepoint counting");
    return estimateOf(label);
  }
}

async function propertiesOf(connection: ForeignConnection, { table }: Label): Promise<LabelInfo["properties"]> {
  const rows = await connection.query(`select properties from only ${table} limit $1`, [limits.explorerSample_rows]);
  const kinds = new Map<string, Set<string>>();
  for (const [text] of rows)
    for (const [name, value] of Object.entries(parseAgtype(text ?? "{}") as object))
      kinds.set(name, (kinds.get(name) ?? new Set()).add(kindOf(value)));
  return [...kinds]
    .map(([name, found]) => ({ name, kinds: [...found].toSorted((a, b) => (a < b ? -1 : 1)) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? (Object.keys(value)[0]?.startsWith("$") ? "number" : "map") : typeof value;
}

/** The label of an element is in the upper 16 bits of its id. */
async function betweenOf(connection: ForeignConnection, { table }: Label, names: ReadonlyMap<string, string>) {
  const rows = await connection.query(`select start_id, end_id from only ${table} limit $1`, [
    limits.explorerSample_rows,
  ]);
  const labelOf = (id: string | null | undefined) => names.get(`${BigInt(id ?? "0") >> 48n}`) ?? "?";
  const pairs = new Map<string, { from: string; to: string }>();
  for (const [start, end] of rows) {
    const pair = { from: labelOf(start), to: labelOf(end) };
    pairs.set(JSON.stringify(pair), pair);
  }
  return [...pairs.values()];
}

export interface Trial {
  ok: boolean;
  /** What is wrong, and what to do. */
  error?: string;
  reason?: string;
  server_version?: string;
  age_version?: string;
  graphs?: number;
}

/** Connects and says what is there, or why it can not. */
export async function tryOut(way: Way): Promise<Trial> {
  try {
    const taken = await way.take();
    const patience = cutAfter(limits.explorerTimeout_ms, way, taken.connection);
    try {
      taken.connection.limitAnswer(limits.explorerAnswer_bytes);
      const [row] = await taken.connection.query(
        `select current_setting('server_version'), (select extversion from pg_extension where extname = 'age')`,
      );
      const [server_version, age_version] = row ?? [];
      const about = { server_version: server_version ?? "" };
      if (!age_version) return { ...failed(noAge()), ...about };
      await loadAge(taken.connection);
      const [count] = await taken.connection.query("select count(*) from ag_catalog.ag_graph");
      return { ok: true, ...about, age_version, graphs: Number(count?.[0]) };
    } finally {
      patience.cancel();
      taken.connection.limitAnswer(Infinity);
      taken.release();
    }
  } catch (thrown) {
    if (thrown instanceof MatrixError) return failed(thrown);
    if (thrown instanceof ForeignError) return failed(unreachableBecause(thrown));
    throw thrown;
  }
}

function failed({ message, errcode, fields }: MatrixError): Trial {
  return { ok: false, error: message, reason: typeof fields["reason"] === "string" ? fields["reason"] : errcode };
}
