import { csvOf, saveFile } from "../model/csv.ts";
import { readAll } from "../model/queries.ts";
import { queryOf, type Search } from "../model/search.ts";
import type { Column, DataTableProps } from "./types.ts";

/** A browser holds the whole file in memory; whoever needs more rows asks the shell. */
const LIMIT_ROWS = 100_000;

export interface ExportOptions<T> {
  table: DataTableProps<T>;
  shown: readonly Column<T>[];
  filters: Search;
  form: "csv" | "json";
}

/** Saves every row of a list that its filters leave: as CSV with the columns that are shown, or as JSON with all that the API says. */
export async function exportList<T>({ table, shown, filters, form }: ExportOptions<T>): Promise<void> {
  const query = { ...table.query, ...queryOf(filters, table.filters ?? []) };
  if (table.exportOf) return location.assign(table.exportOf(form, query));
  const items = await readAll<T>(table.path, query, LIMIT_ROWS);
  const name = table.label.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  if (form === "json") return saveFile(`${name}.json`, "application/json", `${JSON.stringify(items, null, 2)}\n`);
  const head = shown.map(({ label }) => label);
  const rows = items.map((item) => shown.map(({ value }) => value(item)));
  saveFile(`${name}.csv`, "text/csv", csvOf(head, rows));
}
