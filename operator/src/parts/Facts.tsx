import type { ReactNode } from "react";
import styles from "./Facts.module.css";

export type Fact = readonly [name: string, value: ReactNode];

/** Names and values, one line each. A value that is not there shows a dash. */
export function Facts({ facts }: { facts: readonly (Fact | false)[] }) {
  return (
    <dl className={styles["facts"]}>
      {facts
        .filter((fact) => fact !== false)
        .map(([name, value]) => (
          <div key={name} className={styles["fact"]}>
            <dt>{name}</dt>
            <dd>{value ?? "–"}</dd>
          </div>
        ))}
    </dl>
  );
}
