import { useSnapshot } from "../../app/context.ts";
import { useNow } from "../../app/useNow.ts";
import { dayLabel } from "../../models/format/time.ts";
import { count } from "../../models/format/words.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import type { Scroller } from "./scroller.ts";
import styles from "./Timeline.module.css";

/** Older messages on their way, or why they did not come. Over the list, so that nothing moves. */
export function OlderState({
  loading,
  error,
  onRetry,
}: {
  loading: boolean;
  error: string | null;
  onRetry: () => void;
}) {
  if (error) {
    return (
      <div className={styles["older"]} role="alert">
        <span>Older messages did not load: {error}</span>
        <Button variant="link" size="compact" onPress={onRetry}>
          Try again
        </Button>
      </div>
    );
  }
  if (!loading) return null;
  return (
    <div className={styles["older"]}>
      <Spinner size={14} label="Loading older messages" />
    </div>
  );
}

/** Ways back to where the reader left off and to the newest message, and the day while they scroll. */
export function Pills({ scroller, unreadAtOpen }: { scroller: Scroller; unreadAtOpen: number }) {
  const { atEnd, fresh, unseenLine, day_ms } = useSnapshot(scroller.store);
  const now = useNow();
  return (
    <>
      {unseenLine && (
        <button type="button" className={`${styles["pill"]} ${styles["top"]}`} onClick={() => scroller.toLine()}>
          <Icon name="arrowUp" size={14} />
          Jump to first unread ({unreadAtOpen})
        </button>
      )}
      {day_ms !== null && !unseenLine && (
        <div className={styles["chip"]} aria-hidden="true">
          {dayLabel(day_ms, now)}
        </div>
      )}
      {!atEnd && (
        <button type="button" className={styles["pill"]} onClick={() => scroller.toEnd()}>
          <Icon name="arrowDown" size={14} />
          {fresh > 0 ? count(fresh, "new message") : "Jump to the newest"}
        </button>
      )}
    </>
  );
}
