import { Notice } from "../../../../web/src/ui/Notice.tsx";
import type { Trial } from "./shapes.ts";
import styles from "./Settings.module.css";

/** What came of trying a provider, a line for each thing that was looked at. */
export function Checks({ trial: { ok, checks } }: { trial: Trial }) {
  const faults = checks.filter((each) => !each.ok);
  const rest = checks.filter((each) => each.ok);
  return (
    <Notice tone={ok ? "ok" : "danger"} title={ok ? "It works" : "It does not work"}>
      {[...faults, ...rest].map(({ what, says }) => (
        <span key={what} className={styles["line"]}>
          {says}
        </span>
      ))}
    </Notice>
  );
}
