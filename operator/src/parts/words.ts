import { Problem, Unreachable } from "../api.ts";

/** What went wrong, in a sentence for a person. The server's own words are used as they are. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Problem || error instanceof Unreachable) return error.message;
  return error instanceof Error ? error.message : "Something went wrong in this page.";
}

/** `1 room`, `1,204 rooms`; the plural is the word with an s unless another is given. */
export function count(number: number, word: string, plural = `${word}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? word : plural}`;
}

/** A number with its thousands apart. */
export function grouped(number: number): string {
  return number.toLocaleString("en");
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** A size for people, in thousands: `940 B`, `1.8 MB`. */
export function sizeOf(size_bytes: number): string {
  let value = size_bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, "");
  return `${digits} ${UNITS[unit]}`;
}
