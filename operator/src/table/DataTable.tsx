import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { filtersIn, isFiltered, withoutFilters } from "../model/search.ts";
import { useAddress } from "../model/useSearch.ts";
import { Empty, Failed, Loading, NoMatch } from "../parts/States.tsx";
import { BulkBar } from "./BulkBar.tsx";
import { Grid } from "./Grid.tsx";
import { Toolbar } from "./Toolbar.tsx";
import type { DataTableProps } from "./types.ts";
import { useRows } from "./useRows.ts";
import styles from "./Table.module.css";

/**
 * A list of the operator API as a table: filters in the address, pages read as one scrolls, columns to choose, rows to select, a file to
 * take away, and the keys j, k, x, Enter and /.
 */
export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { filters = [], bulk, rowId, linkOf, onOpen, label } = props;
  const { search, set } = useAddress();
  const active = filtersIn(search, filters);
  const { list, rows, shown, toggleColumn } = useRows(props, active);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const searchField = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  // A page may hold nothing though there are more: the API looks at so many rows for one request and no further.
  const isReadingOn = rows.length === 0 && list.hasNextPage;
  const { fetchNextPage, isFetchingNextPage } = list;
  useEffect(() => {
    if (isReadingOn && !isFetchingNextPage) void fetchNextPage();
  }, [isReadingOn, isFetchingNextPage, fetchNextPage]);
  const items = rows.map(({ original }) => original);
  const open = (item: T) => (linkOf ? void navigate({ to: linkOf(item) }) : onOpen?.(item));
  const toggle = (ids: readonly string[], isOn: boolean) =>
    setSelected(new Set(isOn ? [...selected, ...ids] : [...selected].filter((id) => !ids.includes(id))));
  return (
    <div className={styles["table"]}>
      <Toolbar
        table={props}
        shown={shown}
        active={active}
        total={list.data?.pages[0]?.total}
        onToggleColumn={toggleColumn}
        searchField={searchField}
      />
      {list.isPending || isReadingOn ? (
        <Loading />
      ) : list.isError && items.length === 0 ? (
        <Failed error={list.error} onRetry={() => void list.refetch()} />
      ) : items.length === 0 && isFiltered(active) ? (
        <NoMatch onClear={() => set(withoutFilters(search, filters))} />
      ) : items.length === 0 ? (
        <Empty action={props.emptyAction}>{props.empty}</Empty>
      ) : (
        <Grid
          label={label}
          items={items}
          columns={shown}
          rowId={rowId}
          linkOf={linkOf}
          onOpen={linkOf || onOpen ? open : undefined}
          selected={selected}
          onToggle={bulk ? toggle : undefined}
          total={list.data?.pages[0]?.total}
          readOn={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined}
          hasMore={list.hasNextPage}
          focusFilter={() => searchField.current?.focus()}
        />
      )}
      {bulk && (
        <BulkBar
          acts={bulk}
          items={items.filter((item) => selected.has(rowId(item)))}
          onClear={() => setSelected(new Set())}
        />
      )}
    </div>
  );
}
