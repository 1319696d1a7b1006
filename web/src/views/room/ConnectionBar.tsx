import { useMessenger, useSnapshot } from "../../app/context.ts";
import { useSeconds } from "../../app/useNow.ts";
import type { Connection } from "../../models/connection/connection.ts";
import { count } from "../../models/format/words.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import styles from "./RoomView.module.css";

/** The state of the connection: a thin line under the header while it comes back, a bar above the composer when it does not. */
export function ConnectionBar({ place }: { place: "line" | "bar" }) {
  const messenger = useMessenger();
  const connection = useSnapshot(messenger.connection);
  const waiting = useSnapshot(messenger.outbox);
  if (place === "line") {
    return connection.phase === "reconnecting" || connection.phase === "catchingUp" ? (
      <div className={styles["line"]} aria-hidden="true" />
    ) : null;
  }
  if (connection.phase === "offline") {
    return (
      <div className={styles["bar"]} role="status">
        <Icon name="alert" size={14} />
        <span>{offlineText(waiting)}</span>
      </div>
    );
  }
  return connection.phase === "refused" ? (
    <Refused connection={connection} onRetry={() => messenger.retryConnection()} />
  ) : null;
}

function Refused({
  connection,
  onRetry,
}: {
  connection: Extract<Connection, { phase: "refused" }>;
  onRetry: () => void;
}) {
  const now = useSeconds();
  const left_s = Math.max(0, Math.ceil((connection.retryAt_ms - now) / 1000));
  return (
    <div className={styles["bar"]} role="status">
      <Icon name="alert" size={14} />
      <span>The server does not answer: {connection.reason}.</span>
      <span aria-hidden="true">{left_s > 0 ? `Next try in ${left_s} s.` : "Trying…"}</span>
      <Button variant="link" size="compact" onPress={onRetry}>
        Try now
      </Button>
    </div>
  );
}

function offlineText(waiting: number): string {
  const base = "Offline. You can keep reading and writing";
  if (waiting === 0) return `${base}.`;
  return `${base}; ${count(waiting, "message")} ${waiting === 1 ? "is" : "are"} waiting to send.`;
}
