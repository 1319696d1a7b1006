import type { ReactNode } from "react";
import styles from "./Facts.module.css";

/** Names and values, one line each. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles["facts"]}>{children}</dl>;
}

/** One of them. A value that is not there shows a dash. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles["fact"]}>
      <dt>{name}</dt>
      <dd>{children === null || children === undefined || children === "" || children === false ? "–" : children}</dd>
    </div>
  );
}
