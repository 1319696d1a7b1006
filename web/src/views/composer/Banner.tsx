import type { Draft } from "../../models/composer/draft.ts";
import { IconButton } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import styles from "./Composer.module.css";

/** What the text will be: a reply to which message, or the change of one. */
export function Banner({ draft, onCancel }: { draft: Draft; onCancel: () => void }) {
  if (!draft.editing && !draft.replyTo) return null;
  return (
    <div className={styles["banner"]}>
      <Icon name={draft.editing ? "edit" : "reply"} size={14} />
      {draft.editing ? (
        <span className={styles["bannerText"]}>Editing a message · Esc to cancel</span>
      ) : (
        <span className={styles["bannerText"]}>
          <strong>{draft.replyTo?.sender?.name ?? "A message"}</strong> {draft.replyTo?.text}
        </span>
      )}
      <IconButton
        icon="close"
        label={draft.editing ? "Cancel editing" : "Cancel reply"}
        size="compact"
        iconSize={14}
        onPress={onCancel}
      />
    </div>
  );
}
