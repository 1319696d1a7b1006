import { Fragment, type ReactNode, useId, useState } from "react";
import { Button } from "../../../web/src/ui/Button.tsx";
import { cx } from "../../../web/src/ui/cx.ts";
import type { Column } from "./types.ts";
import styles from "./SimpleTable.module.css";

export interface SimpleTableProps<T> {
  /** Names the table for who cannot see what stands above it. */
  label: string;
  items: readonly T[];
  columns: readonly Omit<Column<T>, "width" | "sorts">[];
  rowId: (item: T) => string;
  /** What a row shows below itself while it is open; what its first cell shows, as text, is the button for that. */
  detail?: Detail<T>;
}

interface Detail<T> {
  /** What it is, such as `Headers`. */
  label: string;
  show: (item: T) => ReactNode;
}

/** A short list that is there as a whole, such as the processes that run. Longer ones are a DataTable. */
export function SimpleTable<T>({ label, items, columns, rowId, detail }: SimpleTableProps<T>) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that is wider than the screen is scrolled with the keyboard
    <div className={cx(styles["scroller"], detail && styles["opens"])} role="group" aria-label={label} tabIndex={0}>
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
          {items.map((item) =>
            detail ? (
              <OpeningRow key={rowId(item)} {...{ item, columns, detail }} />
            ) : (
              <tr key={rowId(item)}>
                <Cells {...{ item, columns }} />
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}

type RowProps<T> = Pick<SimpleTableProps<T>, "columns"> & { item: T };

function Cells<T>({ item, columns }: RowProps<T>) {
  return columns.map(({ id, atEnd, cell, value }) => (
    <td key={id} className={cx(atEnd && styles["atEnd"])}>
      {cell ? cell(item) : value(item)}
    </td>
  ));
}

function OpeningRow<T>({ item, columns, detail }: RowProps<T> & { detail: Detail<T> }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const [first, ...others] = columns;
  const name = String(first?.value(item) ?? "");
  return (
    <Fragment>
      <tr className={cx(isOpen && styles["open"])}>
        <td>
          <Button
            variant="quiet"
            size="compact"
            icon={isOpen ? "chevronDown" : "chevronRight"}
            className={styles["opener"]}
            aria-label={`${name}: ${detail.label}`}
            aria-expanded={isOpen}
            {...(isOpen ? { "aria-controls": id } : {})}
            onPress={() => setOpen(!isOpen)}
          >
            {name}
          </Button>
        </td>
        <Cells item={item} columns={others} />
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={columns.length} className={styles["detail"]}>
            <div id={id} role="group" aria-label={`${name}: ${detail.label}`}>
              {detail.show(item)}
            </div>
          </td>
        </tr>
      )}
    </Fragment>
  );
}
