/** CSV files: a first line with the names of the columns, then a row on each. */
import { CsvError, readCsv } from "../explorer/csv.ts";
import { limits } from "../limits.ts";
import { othersTurn, SourceError } from "./parse.ts";

export interface CsvRow {
  /** The line in the file, from 1. */
  row: number;
  header: readonly string[];
  cells: readonly string[];
}

/** The rows behind the first line. Throws SourceError. */
export async function* csvRows(text: string, separator: string): AsyncGenerator<CsvRow> {
  let header: readonly string[] | undefined;
  try {
    for await (const { line, cells } of readCsv(chunksOf(text), separator)) {
      if (header) yield { row: line, header, cells };
      else header = cells;
    }
  } catch (thrown) {
    if (thrown instanceof CsvError) throw new SourceError(`Line ${thrown.line}: ${thrown.message}.`);
    throw thrown;
  }
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += limits.importTurn_bytes) {
    yield bytes.subarray(from, from + limits.importTurn_bytes);
    await othersTurn();
  }
}

/** What the row has in the column of this name, whatever its case; undefined where there is no such column. */
export function cellIn({ header, cells }: CsvRow, name: string): string | undefined {
  const place = header.findIndex((cell) => cell.trim().toLowerCase() === name.toLowerCase());
  return place === -1 ? undefined : (cells[place] ?? "").trim();
}

/** As `cellIn`. Throws SourceError where there is no such column. */
export function neededIn(row: CsvRow, name: string): string {
  const cell = cellIn(row, name);
  if (cell === undefined)
    throw new SourceError(`There is no column "${name}". The first line has: ${row.header.join(", ")}.`);
  return cell;
}
