/**
 * A CSV file becomes elements or edges of a graph, in one transaction: all of it is there at the end, or nothing is. Lines go in batches, each
 * one statement with the lines as its parameter; what is told between them is how far it is.
 */
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { ForeignError, type ForeignConnection } from "../db/foreign.ts";
import { readCsv, CsvError, type CsvLine } from "./csv.ts";
import { statementFor } from "./cypher/statement.ts";
import { queryFailure } from "./failures.ts";
import { loadAge, takeFrom, type Way } from "./run.ts";

export const cellTypes = ["text", "integer", "number", "boolean"] as const;

export interface Mapping {
  graph: string;
  /** Of the new elements, or the type of the new edges. */
  label: string;
  separator: string;
  /** By the header of the column, the property that it becomes; others are left out. */
  columns: readonly { header: string; property: string; type: (typeof cellTypes)[number] }[];
  /** Of edges: which elements they join, found by a property. */
  edge?: { from: End; to: End } | undefined;
}

interface End {
  header: string;
  label: string;
  property: string;
  type: (typeof cellTypes)[number];
}

export type ImportPart =
  | { progress: { lines: number; created: number } }
  | { done: { lines: number; created: number; is_written: true } }
  | { failed: { lines: number; errors: { line: number; error: string }[]; is_written: false } };

interface Row {
  line: number;
  p: Record<string, unknown>;
  from?: unknown;
  to?: unknown;
}

/** Throws M_INVALID_PARAM for a mapping that does not fit the file, and what failures.ts knows. */
export async function* importCsv(
  way: Way,
  mapping: Mapping,
  { chunks, signal }: { chunks: AsyncIterable<Uint8Array>; signal: AbortSignal },
): AsyncGenerator<ImportPart, void, undefined> {
  const taken = await takeFrom(way);
  const { connection } = taken;
  const cut = () => connection.cut();
  signal.addEventListener("abort", cut, { once: true });
  const state = { lines: 0, created: 0, errors: [] as { line: number; error: string }[] };
  try {
    await begin(connection);
    for await (const batch of batchesOf(chunks, mapping, state)) {
      const goesOn = batch.length === 0 || (await insert(way, connection, { mapping, batch, state }));
      yield { progress: { lines: state.lines, created: state.created } };
      if (!goesOn || state.errors.length >= limits.importErrors) break;
    }
    const { lines, created, errors } = state;
    await connection.query(errors.length > 0 ? "rollback" : "commit");
    if (errors.length > 0) yield { failed: { lines, errors, is_written: false } };
    else yield { done: { lines, created, is_written: true } };
  } catch (thrown) {
    const ran = { cypher: "", statement: { offset: 0 }, timeout_ms: limits.import_ms, isOverdue: false };
    throw queryFailure(thrown, ran);
  } finally {
    signal.removeEventListener("abort", cut);
    connection.limitAnswer(Infinity);
    if (!connection.isBroken()) await connection.query("rollback").catch(() => connection.cut());
    taken.release();
  }
}

async function begin(connection: ForeignConnection): Promise<void> {
  await loadAge(connection);
  await connection.query("begin");
  await connection.query(
    `select set_config('search_path', 'ag_catalog, pg_catalog', true), set_config('statement_timeout', $1, true),
       set_config('idle_in_transaction_session_timeout', $1, true)`,
    [`${limits.import_ms}`],
  );
}

interface State {
  lines: number;
  created: number;
  errors: { line: number; error: string }[];
}

async function* batchesOf(chunks: AsyncIterable<Uint8Array>, mapping: Mapping, state: State): AsyncGenerator<Row[]> {
  let columns: readonly string[] | undefined;
  let batch: Row[] = [];
  let size_characters = 0;
  try {
    for await (const line of readCsv(chunks, mapping.separator)) {
      if (columns === undefined) {
        columns = headersOf(line, mapping);
        continue;
      }
      state.lines++;
      if (state.lines > limits.import_rows)
        throw new CsvError(line.line, `the file has more than ${limits.import_rows} lines`);
      const row = rowOf(line, columns, mapping);
      if ("error" in row) state.errors.push({ line: line.line, error: row.error });
      else batch.push(row);
      size_characters += line.cells.reduce((sum, cell) => sum + cell.length, 0);
      const isFull = batch.length + state.errors.length >= limits.importBatch_rows;
      if (!isFull && size_characters < limits.importBatch_characters) continue;
      yield batch;
      [batch, size_characters] = [[], 0];
    }
  } catch (thrown) {
    if (!(thrown instanceof CsvError)) throw thrown;
    state.errors.push({ line: thrown.line, error: thrown.message });
  }
  if (columns === undefined && state.errors.length === 0) throw matrixError("M_INVALID_PARAM", "The file is empty.");
  yield batch;
}

function headersOf({ cells }: CsvLine, { columns, edge }: Mapping): readonly string[] {
  if (cells.length > limits.import_columns)
    throw matrixError("M_INVALID_PARAM", `The file has more than ${limits.import_columns} columns.`);
  const wanted = [...columns, ...(edge ? [edge.from, edge.to] : [])].map(({ header }) => header);
  const missing = wanted.find((header) => !cells.includes(header));
  if (missing !== undefined)
    throw matrixError("M_INVALID_PARAM", `The file has no column "${missing}". It has: ${cells.join(", ")}.`);
  const twice = wanted.find((header) => cells.indexOf(header) !== cells.lastIndexOf(header));
  if (twice !== undefined) throw matrixError("M_INVALID_PARAM", `The file has the column "${twice}" more than once.`);
  return cells;
}

function rowOf({ line, cells }: CsvLine, headers: readonly string[], mapping: Mapping): Row | { error: string } {
  if (cells.length !== headers.length) return { error: `it has ${cells.length} cells in place of ${headers.length}` };
  const cell = (header: string) => cells[headers.indexOf(header)] ?? "";
  try {
    const given = mapping.columns.filter(({ header }) => cell(header) !== "");
    const p = Object.fromEntries(given.map((column) => [column.property, valueOf(cell(column.header), column)]));
    const { edge } = mapping;
    if (!edge) return { line, p };
    const [from, to] = [edge.from, edge.to].map((end) => valueOf(cell(end.header), end));
    return { line, p, from, to };
  } catch (thrown) {
    return { error: (thrown as Error).message };
  }
}

function valueOf(text: string, { header, type }: { header: string; type: (typeof cellTypes)[number] }): unknown {
  if (type === "text") return text;
  const number = Number(text);
  if (type === "boolean" && /^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (type === "integer" && /^-?\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  if (type === "number" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) && Number.isFinite(number)) return number;
  throw new Error(`"${text.slice(0, 50)}" in ${header} is no ${type}`);
}

interface Insertion {
  mapping: Mapping;
  batch: readonly Row[];
  state: State;
}

/**
 * A statement gives back the lines that it made something of; of edges, those without an end made nothing. False where the transaction
 * can not go on.
 */
async function insert(way: Way, connection: ForeignConnection, { mapping, batch, state }: Insertion): Promise<boolean> {
  const { sql, values } = statementFor({
    graph: mapping.graph,
    cypher: cypherFor(mapping),
    columns: 1,
    parameters: JSON.stringify({ rows: batch }),
    seams: way.seams,
  });
  try {
    connection.limitAnswer(limits.explorerAnswer_bytes);
    const made = new Set((await connection.query(sql, values)).map(([line]) => Number(line)));
    state.created += made.size;
    for (const { line } of batch)
      if (!made.has(line)) state.errors.push({ line, error: "an element that it would join is not there" });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ForeignError) || !thrown.code.startsWith("22")) throw thrown;
    state.errors.push({ line: batch[0]?.line ?? 0, error: `from here on: ${thrown.message}` });
    return false;
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

function cypherFor({ label, columns, edge }: Mapping): string {
  const properties = columns.map(({ property }) => `${quoted(property)}: row.p.${quoted(property)}`).join(", ");
  const map = properties === "" ? "" : ` {${properties}}`;
  if (!edge) return `UNWIND $rows AS row CREATE (n:${quoted(label)}${map}) RETURN row.line`;
  const end = (name: string, { label: of, property }: End, key: string) =>
    `(${name}:${quoted(of)} {${quoted(property)}: row.${key}})`;
  return `UNWIND $rows AS row MATCH ${end("a", edge.from, "from")}, ${end("b", edge.to, "to")} CREATE (a)-[:${quoted(label)}${map}]->(b) RETURN row.line`;
}
