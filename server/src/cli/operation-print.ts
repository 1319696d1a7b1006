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
  const plain = members.filter(([, value]) => !isList(value));
  const parts = [
    plain.length === 0 ? "" : table(plain.map(([name, value]) => [name, cell(name, value)])),
    ...lists.map(([, list]) => listOf(list as readonly Values[], operation.command?.columns)),
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
  const [first] = items;
  if (!first) return "Nothing.";
  const known = wanted?.filter((name) => items.some((item) => at(item, name) !== undefined));
  const columns = known?.length ? known : Object.keys(first).filter((name) => isPlain(first[name]));
  return table([columns, ...items.map((item) => columns.map((name) => cell(name, at(item, name))))]);
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function at(item: Values, path: string): unknown {
  let value: unknown = item;
  for (const name of path.split(".")) value = (value as Values | null | undefined)?.[name];
  return value;
}

function cell(name: string, value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (name.endsWith("_ts") && typeof value === "number") return new Date(value).toISOString();
  if (Array.isArray(value) && value.every(isPlain)) return value.map((each) => cell("", each)).join(", ") || "-";
  // A name that somebody chose must not move the cursor of a terminal.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(/\p{Cc}/gu, "\uFFFD");
}

function footer({ next, total, items }: Values): string {
  const shown = Array.isArray(items) ? items.length : 0;
  const all = typeof total === "number" ? [`${shown} of ${total}.`] : [];
  return [...all, ...(typeof next === "string" ? [`There are more: --from ${next}, or --all.`] : [])].join(" ");
}
