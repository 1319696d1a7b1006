import { useRef } from "react";
import type { MessageItem } from "../../models/timeline/item.ts";
import { IconButton } from "../../ui/Button.tsx";
import { attempt } from "../../ui/Toast.tsx";
import { useScope } from "./actions.ts";
import { quoteOf, startEdit } from "./messageMenu.ts";
import styles from "./MessageToolbar.module.css";

/** What one does most with a message, over its upper right corner. The rest is in the menu at the end. */
export function MessageToolbar({ item }: { item: MessageItem }) {
  const scope = useScope();
  const bar = useRef<HTMLDivElement>(null);
  const openMenu = () => {
    const box = bar.current?.getBoundingClientRect();
    if (box) scope.openMenu(item, { x: box.right - 200, y: box.bottom + 2 });
  };
  const unsent = item.status === "failed" || item.status === "waiting";
  return (
    <div
      ref={bar}
      className={styles["bar"]}
      role="toolbar"
      aria-label={`Actions for the message of ${item.sender.name}`}
      data-toolbar=""
    >
      {item.can.react && (
        <IconButton
          icon="react"
          label="React"
          size="compact"
          onPress={() => bar.current && scope.openPicker(item, bar.current)}
        />
      )}
      {item.can.reply && (
        <IconButton
          icon="reply"
          label="Reply"
          keys="R"
          size="compact"
          onPress={() => scope.composer.replyTo(quoteOf(item))}
        />
      )}
      {item.can.reply && !scope.inThread && (
        <IconButton
          icon="thread"
          label="Reply in thread"
          keys="T"
          size="compact"
          onPress={() => scope.openThread(item.id)}
        />
      )}
      {item.can.edit && (
        <IconButton icon="edit" label="Edit" keys="E" size="compact" onPress={() => startEdit(scope, item.id)} />
      )}
      {unsent && (
        <IconButton
          icon="refresh"
          label="Try again"
          size="compact"
          onPress={() => void attempt("Not sent", () => scope.timeline.retry(item.key))}
        />
      )}
      <IconButton icon="more" label="More actions" size="compact" onPress={openMenu} />
    </div>
  );
}
