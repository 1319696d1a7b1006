/** Reading JSON that somebody else wrote. What is wrong is said in words for the operator. */
import { z } from "zod";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { inTurns } from "../turns.ts";

/** What is wrong with a file as a whole; it says so in words for the operator. */
export class SourceError extends Error {}

/** A file that is one JSON array. Throws SourceError. */
export function parseList<T extends z.ZodType>(name: string, text: string, schema: T): Promise<z.output<T>[]> {
  const list = shaped(name, parsed(name, text), z.array(z.unknown()));
  return inTurns(list, limits.importTurn_items, (item, i) => [shaped(`${name}, item ${i + 1},`, item, schema)]);
}

/** The lines of one type in a file with an object on each line: `{"type": "user", "user": {…}}`. Throws SourceError. */
export function parseLines<T extends z.ZodType>(
  text: string,
  { type, schema }: { type: string; schema: T },
): Promise<{ row: number; value: z.output<T> }[]> {
  return inTurns(text.split("\n"), limits.importTurn_items, (line, i) => {
    if (line.trim() === "") return [];
    const name = `Line ${i + 1}`;
    const entry = shaped(name, parsed(name, line), z.looseObject({ type: z.string() }));
    return entry.type === type ? [{ row: i + 1, value: shaped(name, entry[type], schema) }] : [];
  });
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new SourceError(`${name} is not JSON: ${asError(thrown).message}.`);
  }
}

function shaped<T extends z.ZodType>(name: string, value: unknown, schema: T): z.output<T> {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new SourceError(`${name} is not what was expected: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}.`);
}
