/** Answers of operations, for people. */
import type { Operation } from "../console/operation.ts";
import { table } from "./command.ts";

type Values = Readonly<Record<string, unknown>>;

/** Plain members first, one a line, and then every list as a table. */
export function textOf(operation: Pick<Operation, "command">, answer: Values): string {
  const shows = operation.command?.shows;
  const isShown = (name: string) => (shows ? shows.includes(name) : name !== "next" && name !== "total");
  const members = Object.entries(answer).filter(([name]) => isShown(name));
  const lists = members.filter(([, value]) => isList(value));
  const full = lists.filter(([, list]) => (list as unknown[]).length > 0);
  const plain = members.filter(([, value]) => !isList(value));
  const parts = [
    plain.length === 0 ? "" : table(plain.flatMap(([name, value]) => rowsOf(name, value))),
    ...full.map(([, list]) => listOf(list as readonly Values[], operation.command?.columns)),
    lists.length > 0 && full.length === 0 ? "Nothing." : "",
    footer(answer),
  ];
  return parts.filter((part) => part !== "").join("\n\n") || "Done.";
}

function isList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null && !Array.isArray(each))
  );
}

function listOf(items: readonly Values[], wanted: readonly string[] | undefined): string {
  const known = wanted?.filter((name) => items.some((item) => at(item, name) !== undefined));
  const columns = known?.length ? known : plainIn(items);
  return table([columns, ...items.map((item) => columns.map((name) => cell(name, at(item, name))))]);
}

/** Of every item: one that failed says more than those that did not. */
function plainIn(items: readonly Values[]): string[] {
  const names = new Set(items.flatMap((item) => Object.keys(item)));
  return [...names].filter((name) => items.every((item) => isPlain(item[name])));
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function at(item: Values, path: string): unknown {
  let value: unknown = item;
  for (const name of path.split(".")) value = (value as Values | null | undefined)?.[name];
  return value;
}

/** One line; sentences have one each. */
function rowsOf(name: string, value: unknown): string[][] {
  const isText = Array.isArray(value) && value.some((each) => typeof each === "string" && each.endsWith("."));
  if (!isText) return [[name, cell(name, value)]];
  return value.map((each, i) => [i === 0 ? name : "", cell("", each)]);
}

/** What moves the cursor of a terminal, or turns what stands behind it around. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu;

function cell(name: string, value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (name.endsWith("_ts") && typeof value === "number") return new Date(value).toISOString();
  if (Array.isArray(value) && value.every(isPlain)) return value.map((each) => cell("", each)).join(", ") || "-";
  // It may be a name that somebody chose.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(UNPRINTABLE, "\uFFFD");
}

function footer({ next, total, items }: Values): string {
  const shown = Array.isArray(items) ? items.length : 0;
  const all = typeof total === "number" ? [`${shown} of ${total}.`] : [];
  return [...all, ...(typeof next === "string" ? [`There are more: --from ${next}, or --all.`] : [])].join(" ");
}
