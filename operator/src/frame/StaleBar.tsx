import { Icon } from "../../../web/src/ui/Icon.tsx";
import { useConnection } from "../model/connection.ts";
import { timeOfDay } from "../model/time.ts";
import styles from "./StaleBar.module.css";

/** Says how old everything on the screen is while the server cannot be reached. Writes are off as long as it stands. */
export function StaleBar() {
  const { isThere, answeredAt_ms } = useConnection();
  if (isThere) return null;
  return (
    <p className={styles["bar"]} role="status">
      <Icon name="alert" size={14} />
      {answeredAt_ms > 0 ? `Data from ${timeOfDay(answeredAt_ms)}. ` : ""}The server cannot be reached; nothing can be
      changed until it is.
    </p>
  );
}
