import type { ReactNode } from "react";
import { cx } from "./cx.ts";
import styles from "./Tag.module.css";

/** A short word in a hairline box: a state, never an action. */
export function Tag({
  tone = "neutral",
  children,
}: {
  tone?: "neutral" | "ok" | "warn" | "danger";
  children: ReactNode;
}) {
  return <span className={cx(styles["tag"], styles[tone])}>{children}</span>;
}

/** A number on the accent colour, for what waits for the person. Above 99 it says `99+`. */
export function Count({ value, label }: { value: number; label: string }) {
  return (
    <span className={styles["count"]}>
      <span aria-hidden="true">{value > 99 ? "99+" : value}</span>
      <span className="visuallyHidden">{label}</span>
    </span>
  );
}
