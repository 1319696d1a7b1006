import type { ReactNode } from "react";
import type { IconName } from "../../../web/src/ui/Icon.tsx";
import type { Query } from "../api.ts";
import type { CsvValue } from "../model/csv.ts";
import type { Filter } from "../model/search.ts";

/** A column of a list. */
export interface Column<T> {
  id: string;
  label: string;
  /** A track of the CSS grid; text that is longer ends with an ellipsis. */
  width: string;
  /** What a file has in this column, and what a cell shows without `cell`. */
  value: (item: T) => CsvValue;
  cell?: (item: T) => ReactNode;
  /** Numbers stand at the end of their cell. */
  atEnd?: boolean;
  /** Not shown until it is chosen. */
  isExtra?: boolean;
  /** Stays on a phone's width. Without it the column is only there where there is room. */
  onPhone?: boolean;
  /** The orders by this column that the API knows, such as `created_ts` and `-created_ts`, the first one first. */
  sorts?: readonly string[];
}

/** Something to do with several rows at once. */
export interface BulkAct<T> {
  id: string;
  label: string;
  icon?: IconName;
  run: (items: T[]) => void;
}

export interface DataTableProps<T> {
  /** What the list is of, in the plural: `Users`. Names the grid, the files and the kept choice of columns. */
  label: string;
  /** The operation that answers the list. */
  path: string;
  /** Parameters that are always sent. */
  query?: Query;
  columns: readonly Column<T>[];
  rowId: (item: T) => string;
  /** Where a row leads; the first column is the link. */
  linkOf?: (item: T) => string;
  /** What a row does where it leads nowhere. */
  onOpen?: (item: T) => void;
  /** True where the API takes `q`. */
  isSearchable?: boolean;
  filters?: readonly Filter[];
  /** The address of a file that the server makes itself; without it the browser reads every page and writes the file. */
  exportOf?: (form: "csv" | "json", query: Query) => string;
  bulk?: readonly BulkAct<T>[];
  /** One sentence for a list without rows, and what brings the first one. */
  empty: string;
  emptyAction?: ReactNode;
  /** Asks the first rows again after this time. */
  every_ms?: number;
}
