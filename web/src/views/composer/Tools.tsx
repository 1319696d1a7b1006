import { lazy, Suspense, useState } from "react";
import { insertText, type Selected } from "../../models/composer/caret.ts";
import type { Draft } from "../../models/composer/draft.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import styles from "./Composer.module.css";

const EmojiPicker = lazy(async () => ({ default: (await import("../../ui/EmojiPicker.tsx")).EmojiPicker }));

export interface ToolsProps {
  draft: Draft;
  small: boolean;
  formatting: boolean;
  onFormatting: () => void;
  onAttach: () => void;
  onEdit: (edit: (selected: Selected) => Selected) => void;
  onSend: () => void;
}

/** The row under the text: what can be put into it, and the button that sends it. */
export function Tools({ draft, small, formatting, onFormatting, onAttach, onEdit, onSend }: ToolsProps) {
  const [anchor, setAnchor] = useState<Element | null>(null);
  const pick = (emoji: string) => {
    setAnchor(null);
    onEdit((selected) => insertText(selected, emoji));
  };
  return (
    <div className={styles["tools"]}>
      <IconButton icon="attach" label="Attach files" keys="Ctrl U" size="compact" onPress={onAttach} />
      <IconButton icon="smile" label="Emoji" size="compact" onPress={(event) => setAnchor(event.target)} />
      {!small && (
        <IconButton
          icon="at"
          label="Mention someone"
          size="compact"
          onPress={() => onEdit((selected) => insertText(selected, "@"))}
        />
      )}
      <IconButton icon="format" label="Formatting" size="compact" pressed={formatting} onPress={onFormatting} />
      <span className={styles["gap"]} />
      <Button variant="primary" size="compact" onPress={onSend}>
        {draft.editing ? "Save" : "Send"}
      </Button>
      {anchor && (
        <Suspense>
          <EmojiPicker anchor={anchor} onClose={() => setAnchor(null)} onPick={pick} />
        </Suspense>
      )}
    </div>
  );
}
