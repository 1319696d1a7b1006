import { cx } from "../../../web/src/ui/cx.ts";
import type { Column } from "./types.ts";
import styles from "./SimpleTable.module.css";

export interface SimpleTableProps<T> {
  /** Names the table for who cannot see what stands above it. */
  label: string;
  items: readonly T[];
  columns: readonly Omit<Column<T>, "width" | "sorts">[];
  rowId: (item: T) => string;
}

/** A short list that is there as a whole, such as the processes that run. Longer ones are a DataTable. */
export function SimpleTable<T>({ label, items, columns, rowId }: SimpleTableProps<T>) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that is wider than the screen is scrolled with the keyboard
    <div className={styles["scroller"]} role="group" aria-label={label} tabIndex={0}>
      <table className={styles["table"]}>
        <thead>
          <tr>
            {columns.map(({ id, label: name, atEnd }) => (
              <th key={id} scope="col" className={cx(atEnd && styles["atEnd"])}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={rowId(item)}>
              {columns.map(({ id, atEnd, cell, value }) => (
                <td key={id} className={cx(atEnd && styles["atEnd"])}>
                  {cell ? cell(item) : value(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
