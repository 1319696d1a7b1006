import { Toolbar } from "react-aria-components";
import { makeLink, type Selected, toggleMark, togglePrefix } from "../../models/composer/caret.ts";
import { IconButton } from "../../ui/Button.tsx";
import styles from "./Composer.module.css";

/** Formatting for those who do not write Markdown by hand; it writes the marks into the text. */
export function FormatBar({ onEdit }: { onEdit: (edit: (selected: Selected) => Selected) => void }) {
  const mark = (sign: string) => () => onEdit((selected) => toggleMark(selected, sign));
  const prefix = (sign: string) => () => onEdit((selected) => togglePrefix(selected, sign));
  return (
    <Toolbar aria-label="Formatting" className={styles["format"] ?? ""}>
      <IconButton icon="bold" label="Bold" keys="Ctrl B" size="compact" onPress={mark("**")} />
      <IconButton icon="italic" label="Italic" keys="Ctrl I" size="compact" onPress={mark("_")} />
      <IconButton icon="strike" label="Strike through" keys="Ctrl Shift X" size="compact" onPress={mark("~~")} />
      <IconButton icon="code" label="Code" keys="Ctrl Shift C" size="compact" onPress={mark("`")} />
      <IconButton icon="quote" label="Quote" size="compact" onPress={prefix("> ")} />
      <IconButton icon="list" label="List" size="compact" onPress={prefix("- ")} />
      <IconButton
        icon="link"
        label="Link"
        size="compact"
        onPress={() => onEdit((selected) => makeLink(selected, "https://"))}
      />
    </Toolbar>
  );
}
