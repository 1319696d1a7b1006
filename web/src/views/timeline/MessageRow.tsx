import { memo, type ReactNode } from "react";
import { fullTime, timeOfDay } from "../../models/format/time.ts";
import type { MessageItem } from "../../models/timeline/item.ts";
import { cx } from "../../ui/cx.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Face } from "../room/Face.tsx";
import { useScope } from "./actions.ts";
import { MessageBody } from "./MessageBody.tsx";
import { MessageToolbar } from "./MessageToolbar.tsx";
import { Reactions } from "./Reactions.tsx";
import { SendState } from "./SendState.tsx";
import { ThreadLink } from "./ThreadLink.tsx";
import styles from "./MessageRow.module.css";

export interface MessageRowProps {
  item: MessageItem;
  /** The author and the picture stand above, at the first message of the run. */
  continued: boolean;
  /** Pointer or focus is here: the toolbar is shown. */
  active: boolean;
  /** Shown for a moment after a jump to this message. */
  marked: boolean;
}

export const MessageRow = memo(function MessageRow({ item, continued, active, marked }: MessageRowProps) {
  const emote = item.body.kind === "emote";
  const withHead = !continued && !emote;
  return (
    <div
      className={cx(
        styles["row"],
        withHead && styles["first"],
        item.mentionsMe && styles["mentioned"],
        active && styles["active"],
        marked && styles["marked"],
        item.status !== "sent" && styles["pending"],
      )}
    >
      <div className={styles["gutter"]}>
        {withHead ? (
          <Face person={item.sender} size={36} className={styles["face"]} />
        ) : (
          <RowTime at_ms={item.at_ms} className={styles["gutterTime"]} />
        )}
      </div>
      <div className={styles["main"]}>
        {item.replyTo && <QuoteLine item={item} />}
        {withHead && (
          <p className={styles["head"]}>
            <span className={styles["name"]}>{item.sender.name}</span>
            <RowTime at_ms={item.at_ms} className={styles["time"]} />
          </p>
        )}
        <MessageBody item={item} suffix={<Marks item={item} />} />
        {item.deviceWarning && (
          <p className={styles["warning"]}>
            <Icon name="alert" size={12} />
            {item.deviceWarning}
          </p>
        )}
        <Reactions item={item} />
        <ThreadLink item={item} />
        <SendState item={item} />
      </div>
      {active && <MessageToolbar item={item} />}
    </div>
  );
});

function RowTime({ at_ms, className }: { at_ms: number; className: string | undefined }) {
  return (
    <time className={className} dateTime={new Date(at_ms).toISOString()} title={fullTime(at_ms)}>
      {timeOfDay(at_ms)}
    </time>
  );
}

function Marks({ item }: { item: MessageItem }): ReactNode {
  return item.edited && item.body.kind !== "redacted" ? <span className={styles["edited"]}>(edited)</span> : null;
}

function QuoteLine({ item }: { item: MessageItem }) {
  const { goTo } = useScope();
  const quote = item.replyTo;
  if (!quote) return null;
  return (
    <button type="button" className={styles["quote"]} onClick={() => goTo(quote.id)} title="Go to the message">
      <Icon name="reply" size={12} />
      <span className={styles["quoteName"]}>{quote.sender?.name ?? "A message"}</span>
      <span className={styles["quoteText"]}>{quote.text}</span>
    </button>
  );
}
