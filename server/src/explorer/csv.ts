/** CSV as it comes, RFC 4180: quotes, doubled quotes, line ends in quotes; the separator is a comma, a semicolon or a tab. */
import { limits } from "../limits.ts";

export interface CsvLine {
  /** Where it begins in the file, counted from 1. */
  line: number;
  cells: string[];
}

export class CsvError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Lines of a file; empty ones are left out. Throws CsvError where the rest can not be understood. */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
  separator: string,
): AsyncGenerator<CsvLine, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = openReader(separator);
  for await (const chunk of chunks) yield* reader.take(decoded(() => decoder.decode(chunk, { stream: true }), reader));
  yield* reader.take(decoded(() => decoder.decode(), reader));
  yield* reader.end();
}

function decoded(decode: () => string, reader: { line(): number }): string {
  try {
    return decode();
  } catch {
    throw new CsvError(reader.line(), "the file is not UTF-8");
  }
}

/** A cell is outside of quotes, inside, or just behind a quote in it, which may be its end or half of a doubled one. */
type State = "plain" | "quoted" | "afterQuote";

function openReader(separator: string) {
  let state: State = "plain";
  let cell = "";
  let cells: string[] = [];
  let line = 1;
  let begun = 1;
  let isFirst = true;
  let size = 0;
  const endLine = (): CsvLine[] => {
    const made = { line: begun, cells: [...cells, cell] };
    [cells, cell, size] = [[], "", 0];
    return made.cells.length === 1 && made.cells[0] === "" ? [] : [made];
  };
  const plain = (letter: string): CsvLine[] => {
    if (letter === separator) {
      cells.push(cell);
      cell = "";
    } else if (letter === "\n") return endLine();
    else if (letter === '"' && cell === "" && state === "plain") state = "quoted";
    else if (letter !== "\r") cell += letter;
    return [];
  };
  const afterQuote = (letter: string): CsvLine[] => {
    if (letter === '"') [state, cell] = ["quoted", `${cell}"`];
    else if (letter === separator || letter === "\n" || letter === "\r") {
      if (letter !== "\r") state = "plain";
      return plain(letter);
    } else throw new CsvError(begun, "there is text behind a closing quote");
    return [];
  };
  return {
    line: () => line,
    *take(text: string): Generator<CsvLine> {
      for (const letter of isFirst ? text.replace(/^\uFEFF/, "") : text) {
        isFirst = false;
        if (++size > limits.importLine_characters)
          throw new CsvError(begun, "the line is too long: is a quote not closed?");
        let made: CsvLine[] = [];
        if (state === "plain") made = plain(letter);
        else if (state === "afterQuote") made = afterQuote(letter);
        else if (letter === '"') state = "afterQuote";
        else cell += letter;
        if (letter === "\n") line++;
        if (cells.length === 0 && cell === "" && letter === "\n" && state === "plain") begun = line;
        yield* made;
      }
    },
    *end(): Generator<CsvLine> {
      if (state === "quoted") throw new CsvError(begun, "a quote is not closed");
      yield* endLine();
    },
  };
}

/** A cell of a file that spreadsheets open: what begins like a formula, also in the wide letters of East Asia, is a text. */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
