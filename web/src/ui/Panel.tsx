import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef } from "react";
import { IconButton } from "./Button.tsx";
import styles from "./Panel.module.css";

export interface PanelProps {
  title: string;
  detail?: string;
  /** Whether it opens for writing: the focus comes to its text field. On a touch screen a keyboard would cover what there is to read. */
  forWriting?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** The column beside the timeline; on a narrow screen it covers the timeline. Escape closes it, and the focus goes back to where it was. */
export function Panel({ title, detail, forWriting = false, onClose, children }: PanelProps) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = panel.current;
    const from = document.activeElement;
    // The buttons of a message are gone when nobody points at it; the message itself stays.
    const places = [from, from?.closest("article")];
    if (forWriting && matchMedia("(hover: hover)").matches) element?.querySelector("textarea")?.focus();
    return () => {
      if (!element?.contains(document.activeElement)) return;
      const back = places.find((place) => place?.isConnected);
      if (back instanceof HTMLElement) back.focus();
    };
  }, [forWriting]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented) onClose();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes the panel from anywhere inside it
    <aside ref={panel} className={styles["panel"]} aria-label={title} onKeyDown={onKeyDown} data-region="panel">
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
