import { Link } from "@tanstack/react-router";
import styles from "./Tabs.module.css";

export interface Tab {
  to: string;
  label: string;
}

/** Parts of a screen that each have an address of their own. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <nav className={styles["tabs"]} aria-label={label}>
      {tabs.map(({ to, label: name }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ "aria-current": "page" }}
          className={styles["tab"]}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
