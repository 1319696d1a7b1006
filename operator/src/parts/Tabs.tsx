import { Link } from "@tanstack/react-router";
import styles from "./Tabs.module.css";

export interface Tab {
  /** The part of the address that names it. */
  name: string;
  to: string;
  label: string;
}

/** Parts of a screen that each have an address of their own. */
export function Tabs({ label, tabs, current }: { label: string; tabs: readonly Tab[]; current: string }) {
  return (
    <nav className={styles["tabs"]} aria-label={label}>
      {tabs.map(({ name, to, label: text }) => (
        <Link
          key={name}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          aria-current={name === current ? "page" : undefined}
          className={styles["tab"]}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
