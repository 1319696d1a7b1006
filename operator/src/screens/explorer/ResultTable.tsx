import { VList } from "virtua";
import { Empty } from "../../parts/States.tsx";
import { type Result, textOf } from "./shapes.ts";
import styles from "./Results.module.css";

/** All rows; only those that are seen are in the page. */
export function ResultTable({ result }: { result: Result }) {
  const { columns, rows } = result;
  if (columns.length === 0) return <Empty>The query gave nothing back.</Empty>;
  const template = { gridTemplateColumns: `56px repeat(${columns.length}, minmax(140px, 1fr))` };
  return (
    <div className={styles["table"]} role="table" aria-label="Rows" aria-rowcount={rows.length + 1}>
      <div role="row" className={styles["head"]} style={template}>
        <span role="columnheader">#</span>
        {columns.map((name, i) => (
          <span key={i} role="columnheader" title={name}>
            {name}
          </span>
        ))}
      </div>
      {rows.length === 0 ? (
        <Empty>No rows.</Empty>
      ) : (
        <VList role="rowgroup" className={styles["rows"] ?? ""} tabIndex={0} aria-label="Rows">
          {rows.map((row, index) => (
            <div key={index} role="row" aria-rowindex={index + 2} className={styles["row"]} style={template}>
              <span role="rowheader" className={styles["number"]}>
                {index + 1}
              </span>
              {row.map((value, i) => (
                <span key={i} role="cell" title={textOf(value)}>
                  {textOf(value)}
                </span>
              ))}
            </div>
          ))}
        </VList>
      )}
    </div>
  );
}
