/** Filters in the address: plain `name=value` pairs, so that an address can be read, kept and sent. */

export type Search = Readonly<Record<string, string>>;

/** The search part of an address as names and values. A name that stands twice has its last value. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

/** The search part of an address, with its question mark; empty values are left out. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(search)
    .filter((pair): pair is [string, string | number | boolean] =>
      ["string", "number", "boolean"].includes(typeof pair[1]),
    )
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [name, String(value)]);
  const text = new URLSearchParams(pairs).toString();
  return text === "" ? "" : `?${text}`;
}

/** One filter of a list. With `options` it is a choice, as a `day` a date, and otherwise a text. */
export interface Filter {
  name: string;
  label: string;
  options?: readonly { value: string; label: string }[];
  /** A calendar day in the browser's time zone; the API is given its first or its last millisecond under this name. */
  day?: { first: string } | { last: string };
}

const DAY_MS = 86_400_000;

/** What the API is asked for by the filters of an address. A day that is none is left out. */
export function queryOf(active: Search, filters: readonly Filter[]): Search {
  const pairs = Object.entries(active).flatMap(([name, value]): [string, string][] => {
    const day = filters.find((filter) => filter.name === name)?.day;
    if (!day) return [[name, value]];
    const first_ms = new Date(`${value}T00:00:00`).getTime();
    if (Number.isNaN(first_ms)) return [];
    return ["first" in day ? [day.first, `${first_ms}`] : [day.last, `${first_ms + DAY_MS - 1}`]];
  });
  return Object.fromEntries(pairs);
}

/** Those parameters of an address that are filters of a list, `q` for its search field and `sort` among them. */
export function filtersIn(search: Search, filters: readonly Filter[]): Search {
  const known = ["q", "sort", ...filters.map(({ name }) => name)];
  return Object.fromEntries(known.flatMap((name) => (search[name] ? [[name, search[name]] as const] : [])));
}

/** Whether a list is narrowed; an order narrows nothing. */
export function isFiltered(search: Search): boolean {
  return Object.keys(search).some((name) => name !== "sort");
}

/** The address's parameters with one filter set, or taken away where the value is empty. What is no filter stays. */
export function withFilter(search: Search, name: string, value: string): Search {
  const { [name]: _, ...rest } = search;
  return value === "" ? rest : { ...rest, [name]: value };
}

/** The address's parameters without any filter. */
export function withoutFilters(search: Search, filters: readonly Filter[]): Search {
  const names = new Set(["q", ...filters.map(({ name }) => name)]);
  return Object.fromEntries(Object.entries(search).filter(([name]) => !names.has(name)));
}

/** A filter in words, for its chip: `Status: suspended`. */
export function chipOf(filter: Filter, value: string): string {
  const option = filter.options?.find((each) => each.value === value);
  return `${filter.label}: ${option?.label ?? value}`;
}
