import type { ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import { IconButton } from "../../../web/src/ui/Button.tsx";
import { cx } from "../../../web/src/ui/cx.ts";
import { Icon } from "../../../web/src/ui/Icon.tsx";
import { StaleBar } from "./StaleBar.tsx";
import { useNav } from "./nav.ts";
import styles from "./Screen.module.css";

export interface ScreenProps {
  title: string;
  /** A few words beside the title: a count, a state. */
  detail?: ReactNode;
  /** Buttons at the end of the title row, the primary one last. */
  action?: ReactNode;
  /** Where this one belongs to: a link before the title. */
  back?: { to: string; label: string };
  /** The content takes exactly the height that is left, and scrolls inside: for tables and canvases. */
  fills?: boolean;
  children: ReactNode;
}

/** A screen of the console: the title row, and content of at most 1280 pixels. */
export function Screen({ title, detail, action, back, fills, children }: ScreenProps) {
  const { open } = useNav();
  return (
    <main className={styles["screen"]} id="content" tabIndex={-1}>
      <title>{`${title} · Parley console`}</title>
      <header className={styles["header"]}>
        <IconButton icon="menu" label="Menu" onPress={open} className={styles["menu"]} />
        {back && (
          <Link to={back.to} className={styles["back"]}>
            {back.label}
            <Icon name="chevronRight" size={14} />
          </Link>
        )}
        <h1 className={styles["title"]}>{title}</h1>
        {detail && <p className={styles["detail"]}>{detail}</p>}
        <span className={styles["gap"]} />
        {action && <div className={styles["action"]}>{action}</div>}
      </header>
      <StaleBar />
      <div className={cx(styles["content"], fills && styles["fills"])}>{children}</div>
    </main>
  );
}

/** A part of a screen under a heading of its own. */
export function Section({
  title,
  intro,
  action,
  children,
}: {
  title: string;
  intro?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles["section"]} aria-label={title}>
      <header className={styles["sectionHeader"]}>
        <div>
          <h2 className={styles["sectionTitle"]}>{title}</h2>
          {intro && <p className={styles["intro"]}>{intro}</p>}
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}
