import { type KeyboardEvent, type ReactNode } from "react";
import { IconButton } from "./Button.tsx";
import styles from "./Panel.module.css";

/** The column beside the timeline; on a narrow screen it covers the timeline. Escape closes it. */
export function Panel({
  title,
  detail,
  onClose,
  children,
}: {
  title: string;
  detail?: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented) onClose();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes the panel from anywhere inside it
    <aside className={styles["panel"]} aria-label={title} onKeyDown={onKeyDown} data-region="panel">
      <header className={styles["header"]}>
        <h2 className={styles["title"]}>{title}</h2>
        {detail && <p className={styles["detail"]}>{detail}</p>}
        <span className={styles["gap"]} />
        <IconButton icon="close" label={`Close ${title.toLowerCase()}`} onPress={onClose} />
      </header>
      {children}
    </aside>
  );
}
