/**
 * AGE's values as JSON. `agtype` is written as JSON with more: `{…}::vertex`, `[…]::path`, `1.10::numeric`, NaN and infinities, and whole
 * numbers of 64 bits, which JavaScript rounds. What JSON has no word for is an object with one member whose name begins with `$`:
 *
 *   {"$vertex": {"id", "label", "properties"}}   {"$edge": {"id", "label", "start", "end", "properties"}}   {"$path": […]}
 *   {"$integer": "9223372036854775807"}   {"$numeric": "1.10"}   {"$number": "NaN" | "Infinity" | "-Infinity"}
 *   {"$map": {…}}   a map with a key of its own that begins with `$`
 *
 * Ids are texts: they are 64 bits wide.
 */
import { limits } from "../limits.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Throws Error for what is no agtype. */
export function parseAgtype(text: string): Json {
  const reader = { text, at: 0 };
  const value = readAnnotated(reader, 0);
  skip(reader);
  if (reader.at < text.length) throw broken(reader);
  return value;
}

interface Reader {
  text: string;
  at: number;
}

const BLANK = /[\t\n\r ]*/y;
const NUMBER = /-?(?:Infinity|(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|NaN/y;
const WORD = /true|false|null/y;
const ANNOTATION = /::([a-z_]+)/y;

function take(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (found) reader.at = pattern.lastIndex;
  return found ?? undefined;
}

/** With its quotes. No pattern, as one takes stack for each character of a long text. */
function takeString(reader: Reader): string | undefined {
  const { text, at } = reader;
  if (text.charAt(at) !== '"') return undefined;
  let end = at + 1;
  while (end < text.length && text.charAt(end) !== '"') end += text.charAt(end) === "\\" ? 2 : 1;
  if (end >= text.length) return undefined;
  reader.at = end + 1;
  return text.slice(at, end + 1);
}

function skip(reader: Reader): void {
  take(reader, BLANK);
}

function broken({ at }: Reader): Error {
  return new Error(`the database gave a value that is none, at character ${at}`);
}

function takes(reader: Reader, symbol: string): boolean {
  skip(reader);
  if (reader.text.charAt(reader.at) !== symbol) return false;
  reader.at++;
  return true;
}

/** Ids are read as what is written: as numbers they could be others. */
type Raw = { digits: string } | { value: Json } | { members: Map<string, Raw> } | { items: Json[] };

function readAnnotated(reader: Reader, level: number): Json {
  const raw = readRaw(reader, level);
  const kind = take(reader, ANNOTATION)?.[1];
  if (kind === "vertex" || kind === "edge") return elementOf(reader, raw, kind);
  if (kind === "path" && "items" in raw) return { $path: raw.items };
  if (kind === "numeric" && "digits" in raw) return { $numeric: raw.digits };
  if (kind !== undefined && kind !== "integer" && kind !== "float") throw broken(reader);
  return plain(raw);
}

function readRaw(reader: Reader, level: number): Raw {
  if (level > limits.agtype_levels) throw new Error(`a value is nested deeper than ${limits.agtype_levels} levels`);
  if (takes(reader, "{")) return { members: readMembers(reader, level) };
  if (takes(reader, "[")) return { items: readItems(reader, level) };
  const string = takeString(reader);
  if (string !== undefined) return { value: JSON.parse(string) as string };
  const number = take(reader, NUMBER);
  if (number) return { digits: number[0] };
  const word = take(reader, WORD);
  if (word) return { value: JSON.parse(word[0]) as boolean | null };
  throw broken(reader);
}

function readMembers(reader: Reader, level: number): Map<string, Raw> {
  const members = new Map<string, Raw>();
  if (takes(reader, "}")) return members;
  do {
    skip(reader);
    const key = takeString(reader);
    if (key === undefined || !takes(reader, ":")) throw broken(reader);
    members.set(JSON.parse(key) as string, readMember(reader, level + 1));
  } while (takes(reader, ","));
  if (!takes(reader, "}")) throw broken(reader);
  return members;
}

/** Whole numbers stay digits: only whoever has all the members knows whether one is an id. */
function readMember(reader: Reader, level: number): Raw {
  skip(reader);
  const { at } = reader;
  const number = take(reader, NUMBER);
  if (number && reader.text.slice(reader.at, reader.at + 2) !== "::") return { digits: number[0] };
  reader.at = at;
  return { value: readAnnotated(reader, level) };
}

function readItems(reader: Reader, level: number): Json[] {
  const items: Json[] = [];
  if (takes(reader, "]")) return items;
  do items.push(readAnnotated(reader, level + 1));
  while (takes(reader, ","));
  if (!takes(reader, "]")) throw broken(reader);
  return items;
}

function plain(raw: Raw): Json {
  if ("value" in raw) return raw.value;
  if ("items" in raw) return raw.items;
  if ("digits" in raw) return numberOf(raw.digits);
  // An own member, also for a key such as __proto__.
  const object = Object.fromEntries([...raw.members].map(([key, each]) => [key, plain(each)]));
  return [...raw.members.keys()].some((key) => key.startsWith("$")) ? { $map: object } : object;
}

function numberOf(digits: string): Json {
  const number = Number(digits);
  if (!Number.isFinite(number)) return { $number: digits };
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(number) ? { $integer: digits } : number;
}

function elementOf(reader: Reader, raw: Raw, kind: "vertex" | "edge"): Json {
  const members = "members" in raw ? raw.members : undefined;
  const id = idIn(members, "id");
  const label = members?.get("label");
  const properties = members?.get("properties");
  if (id === undefined || !label || !properties) throw broken(reader);
  const common = { id, label: plain(label), properties: plain(properties) };
  if (kind === "vertex") return { $vertex: common };
  const [start, end] = [idIn(members, "start_id"), idIn(members, "end_id")];
  if (start === undefined || end === undefined) throw broken(reader);
  return { $edge: { ...common, start, end } };
}

function idIn(members: Map<string, Raw> | undefined, key: string): string | undefined {
  const raw = members?.get(key);
  return raw && "digits" in raw ? raw.digits : undefined;
}
