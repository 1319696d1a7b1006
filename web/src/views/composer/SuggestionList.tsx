import { cx } from "../../ui/cx.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Face } from "../room/Face.tsx";
import type { Suggestion, Suggestions } from "./useSuggestions.ts";
import styles from "./Composer.module.css";

/** What may be meant at the caret, above the composer. The focus stays in the text. */
export function SuggestionList({ suggestions }: { suggestions: Suggestions }) {
  const { open, list, at, listId, accept, setAt } = suggestions;
  if (!open) return null;
  return (
    <div id={listId} className={styles["list"]} role="listbox" aria-label="Suggestions">
      {list.map((suggestion, index) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the text area keeps the focus and its keys choose here
        <div
          key={suggestion.key}
          id={`${listId}-${index}`}
          role="option"
          aria-selected={index === at}
          className={cx(styles["option"], index === at && styles["chosen"])}
          onPointerMove={() => setAt(index)}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => accept(suggestion)}
        >
          <Mark suggestion={suggestion} />
          <span className={styles["label"]}>{suggestion.label}</span>
          <span className={styles["detail"]}>{suggestion.detail}</span>
        </div>
      ))}
    </div>
  );
}

function Mark({ suggestion }: { suggestion: Suggestion }) {
  if (suggestion.emoji) return <span className={styles["emoji"]}>{suggestion.emoji}</span>;
  const id = suggestion.mention?.id ?? suggestion.key;
  if (!id.startsWith("@")) return <Icon name="hash" />;
  return <Face person={{ id, name: suggestion.label, avatarMxc: suggestion.avatarMxc }} size={20} />;
}
