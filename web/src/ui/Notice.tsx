import type { ReactNode } from "react";
import { cx } from "./cx.ts";
import { Icon, type IconName } from "./Icon.tsx";
import styles from "./Notice.module.css";

export type NoticeTone = "info" | "warn" | "danger" | "ok";

const ICONS: Record<NoticeTone, IconName> = { info: "info", warn: "alert", danger: "alert", ok: "check" };

/** A quiet block beside the thing that it speaks of. `danger` interrupts a screen reader, the others wait their turn. */
export function Notice({
  tone = "info",
  title,
  action,
  children,
  className,
}: {
  tone?: NoticeTone;
  title?: ReactNode;
  action?: ReactNode;
  children?: ReactNode;
  className?: string | undefined;
}) {
  return (
    <div className={cx(styles["notice"], styles[tone], className)} role={tone === "danger" ? "alert" : "status"}>
      <Icon name={ICONS[tone]} />
      <div className={styles["body"]}>
        {title && <p className={styles["title"]}>{title}</p>}
        {children && <div className={styles["text"]}>{children}</div>}
      </div>
      {action}
    </div>
  );
}
