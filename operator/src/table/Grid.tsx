import { Link } from "@tanstack/react-router";
import { type MouseEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { cx } from "../../../web/src/ui/cx.ts";
import { useMedia } from "../model/useMedia.ts";
import { Head } from "./Head.tsx";
import type { Column } from "./types.ts";
import { useCursor } from "./useCursor.ts";
import styles from "./Table.module.css";

const ROW_PX = 36;
const PHONE_ROW_PX = 44;
/** What stands left and right of a row's cells. */
const SIDES_PX = 24;
/** The next page is asked for when fewer rows than this are below the last one that is seen. */
const AHEAD_ROWS = 120;

export interface GridProps<T> {
  label: string;
  items: readonly T[];
  columns: readonly Column<T>[];
  rowId: (item: T) => string;
  linkOf?: ((item: T) => string) | undefined;
  onOpen?: ((item: T) => void) | undefined;
  selected: ReadonlySet<string>;
  onToggle?: ((ids: readonly string[], isOn: boolean) => void) | undefined;
  total?: number | undefined;
  hasMore: boolean;
  readOn?: (() => void) | undefined;
  focusFilter: () => void;
}

/** The rows, of which only those in sight are in the page. Every row has the same height, so nothing jumps as pages come. */
export function Grid<T>(props: GridProps<T>) {
  const { label, items, columns, rowId, onOpen, selected, onToggle, total, hasMore, readOn, focusFilter } = props;
  const id = useId();
  const handle = useRef<VirtualizerHandle>(null);
  const row_px = useMedia("(max-width: 719px)") ? PHONE_ROW_PX : ROW_PX;
  const isOn = (index: number) => selected.has(rowId(items[index] as T));
  const cursor = useCursor({
    rows: items.length,
    page: () => Math.max(1, Math.floor((handle.current?.viewportSize ?? 400) / row_px) - 2),
    scrollTo: (index) => handle.current?.scrollToIndex(index, { align: "nearest" }),
    open: (index) => onOpen?.(items[index] as T),
    toggle: onToggle && ((index) => onToggle([rowId(items[index] as T)], !isOn(index))),
    focusFilter,
  });
  const look = () => {
    const { current: view } = handle;
    if (!view || !readOn) return;
    if (view.findItemIndex(view.scrollOffset + view.viewportSize) > items.length - AHEAD_ROWS) readOn();
  };
  useEffect(look);
  const onClick = ({ target }: MouseEvent) => {
    const row = (target as Element).closest<HTMLElement>("[data-index]");
    if (!row) return;
    const index = Number(row.dataset["index"]);
    cursor.setCurrent(index);
    const isControl = (target as Element).closest("a, button, input") !== null;
    // Whoever marks a text in a row to copy it does not want to leave.
    if (!isControl && getSelection()?.isCollapsed !== false) onOpen?.(items[index] as T);
  };
  return (
    <div
      className={styles["grid"]}
      role="grid"
      aria-label={label}
      aria-rowcount={hasMore ? (total ?? -1) : items.length}
      aria-multiselectable={onToggle ? true : undefined}
      aria-activedescendant={cursor.current >= 0 ? `${id}-${cursor.current}` : undefined}
      tabIndex={0}
      onKeyDown={cursor.onKeyDown}
      onClick={onClick}
      onFocus={cursor.onFocus}
    >
      <Head {...props} layout={layoutOf(columns, onToggle !== undefined)} />
      <Virtualizer ref={handle} data={items} itemSize={row_px} startMargin={ROW_PX} onScroll={look}>
        {(item, index) => (
          <Row
            key={rowId(item)}
            id={`${id}-${index}`}
            index={index}
            item={item}
            grid={props}
            isCurrent={index === cursor.current}
          />
        )}
      </Virtualizer>
    </div>
  );
}

/** The tracks of head and rows, which are grids of their own, and the width below which they scroll. */
function layoutOf<T>(
  columns: readonly Column<T>[],
  hasBoxes: boolean,
): { gridTemplateColumns: string; minWidth: number } {
  const widths = [...(hasBoxes ? ["36px"] : []), ...columns.map(({ width }) => width)];
  const least = widths.reduce((sum, width) => sum + Number(/(\d+)px/.exec(width)?.[1] ?? 0), SIDES_PX);
  return { gridTemplateColumns: widths.join(" "), minWidth: least };
}

interface RowProps<T> {
  id: string;
  index: number;
  item: T;
  grid: GridProps<T>;
  isCurrent: boolean;
}

function Row<T>({ id, index, item, grid, isCurrent }: RowProps<T>) {
  const { columns, rowId, linkOf, onOpen, selected, onToggle } = grid;
  const isSelected = selected.has(rowId(item));
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={onToggle ? isSelected : undefined}
      className={cx(styles["row"], onOpen && styles["opens"])}
      data-index={index}
      data-current={isCurrent || undefined}
      style={layoutOf(columns, onToggle !== undefined)}
    >
      {onToggle && (
        <div role="gridcell" className={styles["box"]}>
          <input
            type="checkbox"
            tabIndex={-1}
            checked={isSelected}
            onChange={() => onToggle([rowId(item)], !isSelected)}
            aria-label="Select"
          />
        </div>
      )}
      {columns.map((column, place) => (
        <Cell key={column.id} column={column} item={item} to={place === 0 ? linkOf?.(item) : undefined} />
      ))}
    </div>
  );
}

function Cell<T>({ column, item, to }: { column: Column<T>; item: T; to?: string | undefined }) {
  const content: ReactNode = column.cell ? column.cell(item) : column.value(item);
  return (
    <div role="gridcell" className={cx(styles["cell"], column.atEnd && styles["atEnd"])}>
      {to === undefined ? (
        content
      ) : (
        <Link to={to} tabIndex={-1} className={styles["link"]}>
          {content}
        </Link>
      )}
    </div>
  );
}
