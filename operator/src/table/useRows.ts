import { useMemo } from "react";
import { columnVisibilityFeature, type ColumnDef, tableFeatures, useTable } from "@tanstack/react-table";
import { useList } from "../model/queries.ts";
import { useMedia } from "../model/useMedia.ts";
import { queryOf, type Search } from "../model/search.ts";
import { useKept } from "./kept.ts";
import type { Column, DataTableProps } from "./types.ts";

const features = tableFeatures({ columnVisibilityFeature });
const NONE: never[] = [];

/** The rows that have been read so far, the columns that are shown, and how to read on. */
export function useRows<T extends object>(
  { path, query, label, columns, rowId, filters = [], every_ms }: DataTableProps<T>,
  active: Search,
) {
  const list = useList<T>(path, {
    query: { ...query, ...queryOf(active, filters) },
    ...(every_ms ? { every_ms } : {}),
  });
  const data = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? (NONE as T[]), [list.data]);
  const isPhone = useMedia("(max-width: 719px)");
  const [chosen, setChosen] = useKept<Record<string, boolean>>(`columns.${label}`, {});
  const definitions = useMemo(() => columns.map(definitionOf), [columns]);
  const columnVisibility = Object.fromEntries(columns.map((column) => [column.id, isShown(column, chosen, isPhone)]));
  const table = useTable({ features, columns: definitions, data, getRowId: rowId, state: { columnVisibility } });
  const visible = new Set(table.getVisibleLeafColumns().map(({ id }) => id));
  return {
    list,
    rows: table.getRowModel().rows,
    shown: columns.filter(({ id }) => visible.has(id)),
    toggleColumn: (id: string) => setChosen({ ...chosen, [id]: !visible.has(id) }),
  };
}

function isShown<T>({ id, isExtra, onPhone }: Column<T>, chosen: Record<string, boolean>, isPhone: boolean): boolean {
  if (isPhone) return onPhone ?? false;
  return chosen[id] ?? !isExtra;
}

function definitionOf<T extends object>({ id, label, value }: Column<T>): ColumnDef<typeof features, T> {
  return { id, header: label, accessorFn: (item: T) => value(item) };
}
