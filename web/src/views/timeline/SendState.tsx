import { names } from "../../models/format/words.ts";
import type { MessageItem } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { attempt } from "../../ui/Toast.tsx";
import { useScope } from "./actions.ts";
import styles from "./SendState.module.css";

/** How an own message stands: on its way, waiting for the network, failed with its reason, or seen by whom. */
export function SendState({ item }: { item: MessageItem }) {
  const { timeline } = useScope();
  switch (item.status) {
    case "sending":
      return (
        <p className={styles["sending"]}>
          <Icon name="clock" size={12} />
          <span className="visuallyHidden">Sending</span>
        </p>
      );
    case "waiting":
      return (
        <p className={styles["waiting"]}>
          <Icon name="clock" size={12} />
          Will send when you are back online
        </p>
      );
    case "failed":
      return (
        <p className={styles["failed"]} role="alert">
          <Icon name="alert" size={12} />
          <span>Not sent{item.failure ? `: ${item.failure}` : ""}</span>
          <Button
            variant="link"
            size="compact"
            onPress={() => void attempt("Not sent", () => timeline.retry(item.key))}
          >
            Retry
          </Button>
          <Button variant="link" size="compact" onPress={() => timeline.discard(item.key)}>
            Discard
          </Button>
        </p>
      );
    case "sent":
      return item.seenBy.length > 0 ? <p className={styles["seen"]}>Seen by {names(item.seenBy)}</p> : null;
  }
}
