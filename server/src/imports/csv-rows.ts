/** CSV files: a first line with the names of the columns, then a row on each. */
import { CsvError, readCsv } from "../explorer/csv.ts";
import { limits } from "../limits.ts";
import { othersTurn } from "../turns.ts";
import { SourceError } from "./parse.ts";

export interface CsvRow {
  /** The line in the file, from 1. */
  row: number;
  /** What it has in the column of this name, whatever its case; undefined where there is no such column. */
  cell(name: string): string | undefined;
}

interface Format {
  separator: string;
  /** The columns that there have to be. */
  needed: readonly string[];
}

/** The rows behind the first line. Throws SourceError. */
export async function* csvRows(text: string, { separator, needed }: Format): AsyncGenerator<CsvRow> {
  let places: ReadonlyMap<string, number> | undefined;
  try {
    for await (const { line, cells } of readCsv(chunksOf(text), separator)) {
      const known = places;
      if (!known) places = placesIn(cells, needed);
      else yield { row: line, cell: (name) => cellAt(cells, known.get(folded(name))) };
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

const folded = (name: string) => name.trim().toLowerCase();

function placesIn(header: readonly string[], needed: readonly string[]): ReadonlyMap<string, number> {
  // Of two columns with one name it is the first.
  const places = new Map(header.map((name, place) => [folded(name), place] as const).toReversed());
  const missing = needed.find((name) => !places.has(folded(name)));
  if (missing !== undefined)
    throw new SourceError(`There is no column "${missing}". The first line has: ${header.join(", ")}.`);
  return places;
}

function cellAt(cells: readonly string[], place: number | undefined): string | undefined {
  return place === undefined ? undefined : (cells[place] ?? "").trim();
}
