import { useScope } from "./actions.ts";
import { ago } from "../../models/format/time.ts";
import { count } from "../../models/format/words.ts";
import type { MessageItem } from "../../models/timeline/item.ts";
import { useNow } from "../../app/useNow.ts";
import styles from "./SendState.module.css";

/** Says that the message has a thread, and opens it. */
export function ThreadLink({ item }: { item: MessageItem }) {
  const { openThread, inThread } = useScope();
  const now = useNow();
  if (!item.thread || inThread) return null;
  return (
    <button type="button" className={styles["thread"]} onClick={() => openThread(item.id)}>
      {count(item.thread.count, "reply", "replies")}
      {item.thread.unread > 0 && <strong> · {newsOf(item.thread)}</strong>} · last {ago(item.thread.last_ms, now)}
    </button>
  );
}

/** Replies stand nowhere else: that there are new ones must be seen from here. */
function newsOf({ mentions }: { mentions: number }): string {
  return mentions > 0 ? count(mentions, "mention") : "new";
}
