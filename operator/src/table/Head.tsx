import type { CSSProperties } from "react";
import { cx } from "../../../web/src/ui/cx.ts";
import { Icon } from "../../../web/src/ui/Icon.tsx";
import { withFilter } from "../model/search.ts";
import { useAddress } from "../model/useSearch.ts";
import type { GridProps } from "./Grid.tsx";
import type { Column } from "./types.ts";
import styles from "./Table.module.css";

/** The head, which stays in sight. Pressing a column goes through the orders that the API has by it. */
export function Head<T>({
  columns,
  items,
  rowId,
  selected,
  onToggle,
  layout,
}: GridProps<T> & { layout: CSSProperties }) {
  const ids = items.map(rowId);
  const areAllOn = ids.length > 0 && ids.every((id) => selected.has(id));
  return (
    <div role="row" aria-rowindex={1} className={styles["head"]} style={layout}>
      {onToggle && (
        <div role="columnheader" className={styles["box"]}>
          <input
            type="checkbox"
            tabIndex={-1}
            checked={areAllOn}
            onChange={() => onToggle(ids, !areAllOn)}
            aria-label="Select every row that is loaded"
          />
        </div>
      )}
      {columns.map((column) => (
        <HeadCell key={column.id} column={column} />
      ))}
    </div>
  );
}

function HeadCell<T>({ column }: { column: Column<T> }) {
  const { search, set } = useAddress();
  const { sorts, label, atEnd } = column;
  const className = cx(styles["headCell"], atEnd && styles["atEnd"]);
  if (sorts === undefined)
    return (
      <div role="columnheader" className={className}>
        {label}
      </div>
    );
  const now = sorts.indexOf(search["sort"] ?? "");
  const isDown = sorts[now]?.startsWith("-") ?? false;
  return (
    <div role="columnheader" className={className} aria-sort={now < 0 ? "none" : isDown ? "descending" : "ascending"}>
      <button
        type="button"
        className={styles["sort"]}
        onClick={() => set(withFilter(search, "sort", sorts[now + 1] ?? ""))}
      >
        {label}
        {now >= 0 && <Icon name={isDown ? "arrowDown" : "arrowUp"} size={12} />}
      </button>
    </div>
  );
}
