import { useState } from "react";
import { useNow } from "../../app/useNow.ts";
import { dayLabel, fullTime } from "../../models/format/time.ts";
import { count } from "../../models/format/words.ts";
import type { SystemItem } from "../../models/timeline/item.ts";
import styles from "./Rows.module.css";

/** Where one day ends and the next begins. */
export function DayRow({ at_ms }: { at_ms: number }) {
  const now = useNow();
  return (
    <div className={styles["line"]} title={fullTime(at_ms)}>
      <span>{dayLabel(at_ms, now)}</span>
    </div>
  );
}

/** Below this line is what had not been read when the room was opened. */
export function NewRow() {
  return (
    <div className={`${styles["line"]} ${styles["new"]}`}>
      <span>New</span>
    </div>
  );
}

/** How many replies a thread has, between its first message and them. */
export function RepliesRow({ replies }: { replies: number }) {
  return (
    <div className={styles["line"]}>
      <span>{replies === 0 ? "No replies yet" : count(replies, "reply", "replies")}</span>
    </div>
  );
}

/** Changes of the room in a row as one sentence; a press shows each. */
export function SystemRow({ text, items }: { text: string; items: SystemItem[] }) {
  const [open, setOpen] = useState(false);
  if (items.length < 2)
    return (
      <p className={styles["system"]} title={fullTime(items[0]?.at_ms ?? 0)}>
        {text}
      </p>
    );
  return (
    <div className={styles["system"]}>
      <button type="button" className={styles["more"]} aria-expanded={open} onClick={() => setOpen(!open)}>
        {text}
      </button>
      {open && (
        <ul>
          {items.map((item) => (
            <li key={item.key} title={fullTime(item.at_ms)}>
              {item.text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
