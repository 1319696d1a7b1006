/** The parts of a run as an answer that is written while they come: NDJSON, JSON or CSV. */
import { Readable } from "node:stream";
import type { Change, Ending } from "../console/operation.ts";
import { asError, MatrixError, matrixError } from "../errors.ts";
import { Answer } from "../http.ts";
import type { Logger } from "../logger.ts";
import type { Json } from "./agtype.ts";
import { csvCell } from "./csv.ts";
import type { Part } from "./run.ts";

export const formats = ["ndjson", "json", "csv"] as const;
export type Format = (typeof formats)[number];

const types: Readonly<Record<Format, string>> = {
  ndjson: "application/x-ndjson",
  json: "application/json",
  csv: "text/csv; charset=utf-8",
};

/**
 * Waits for the first part, so that what is wrong at once is an answer with a status of its own. What fails later is the last line of
 * NDJSON; a file breaks off, so that nobody takes half of it for the whole.
 */
export async function streamed<P>(parts: AsyncGenerator<P, void, undefined>, lines: Lines<P>): Promise<Answer> {
  const first = await parts.next();
  const payload = Readable.from(written(first, parts, lines), { objectMode: false });
  // An answer that nobody began to read ends what it is made of too.
  payload.once("close", () => {
    parts.return().catch((thrown: unknown) => lines.log.error({ err: asError(thrown) }, "an answer did not end"));
  });
  return new Answer({
    headers: { "content-type": types[lines.format], "x-accel-buffering": "no", ...lines.headers },
    payload,
  });
}

interface Recorded {
  ending: Ending;
  /** What the log keeps of it, whatever its end. */
  change: Change & { after: object };
}

/** The parts of something that writes. Its end is in the audit log before anybody is told of it. */
export async function* recorded<P extends object>(
  parts: AsyncGenerator<P, void, undefined>,
  { ending, change }: Recorded,
): AsyncGenerator<P, void, undefined> {
  try {
    for await (const part of parts) {
      const result = { ...change, after: { ...change.after, ...("done" in part ? (part.done as object) : {}) } };
      if ("done" in part) await ending.done(result);
      if ("failed" in part) await ending.failed(matrixError("M_INVALID_PARAM", "Some lines are not right."), change);
      yield part;
    }
  } catch (thrown) {
    await ending.failed(thrown, change);
    throw thrown;
  } finally {
    // Whoever stopped reading has stopped it: what was not told as done is rolled back.
    await parts.return();
    await ending.failed(matrixError("M_UNKNOWN", "It was stopped."), change);
  }
}

export interface Lines<P> {
  format: Format;
  headers?: Record<string, string>;
  lineOf(part: P, index: number): string;
  end?: string;
  log: Pick<Logger, "error">;
}

async function* written<P>(
  first: IteratorResult<P, void>,
  rest: AsyncGenerator<P, void, undefined>,
  { format, lineOf, end, log }: Lines<P>,
): AsyncGenerator<string> {
  let index = 0;
  try {
    if (!first.done) yield lineOf(first.value, index++);
    for await (const part of rest) yield lineOf(part, index++);
    if (end !== undefined) yield end;
  } catch (thrown) {
    if (!(thrown instanceof MatrixError)) log.error({ err: thrown }, "an answer broke off");
    if (format !== "ndjson") throw thrown;
    const told = thrown instanceof MatrixError ? thrown : matrixError("M_UNKNOWN", "Something went wrong here.");
    yield `${JSON.stringify({ error: told.body() })}\n`;
  } finally {
    await rest.return();
  }
}

/** How the parts of a query are written. */
export function linesFor(format: Format, name: string, log: Lines<Part>["log"]): Lines<Part> {
  if (format === "ndjson") return { format, log, lineOf: (part) => `${JSON.stringify(part)}\n` };
  const headers = { "content-disposition": `attachment; filename="${name}.${format}"` };
  return format === "csv" ? { format, headers, log, lineOf: csvLines } : { ...jsonLines(), headers, log };
}

function csvLines(part: Part): string {
  if ("columns" in part) return `${part.columns.map(csvCell).join(",")}\r\n`;
  if (!("rows" in part)) return "";
  return part.rows.map((row) => `${row.map((value) => csvCell(textOf(value))).join(",")}\r\n`).join("");
}

/** What a value is in one cell. */
function textOf(value: Json): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A list of objects. */
function jsonLines(): Pick<Lines<Part>, "format" | "lineOf" | "end"> {
  let columns: readonly string[] = [];
  let isFirst = true;
  const objectOf = (row: readonly Json[]) => {
    const comma = isFirst ? "" : ",\n";
    isFirst = false;
    return comma + JSON.stringify(Object.fromEntries(row.map((value, i) => [columns[i], value])));
  };
  return {
    format: "json",
    lineOf(part) {
      if ("columns" in part) columns = part.columns;
      if ("columns" in part) return "[";
      return "rows" in part ? part.rows.map(objectOf).join("") : "";
    },
    end: "]\n",
  };
}
