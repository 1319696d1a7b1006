import { EmojiPicker as Picker } from "frimousse";
import { Dialog, Popover } from "react-aria-components";
import { EMOJI_URL } from "../models/composer/emoji.ts";
import { Spinner } from "./Spinner.tsx";
import styles from "./EmojiPicker.module.css";

/** Every emoji with a search field, in a layer beside `anchor`. The names come from our own server. */
export function EmojiPicker({
  anchor,
  onPick,
  onClose,
}: {
  anchor: Element;
  onPick: (emoji: string) => void;
  onClose: () => void;
}) {
  return (
    <Popover
      isOpen
      onOpenChange={(open) => !open && onClose()}
      triggerRef={{ current: anchor }}
      placement="top end"
      offset={6}
      className={styles["popover"] ?? ""}
    >
      <Dialog aria-label="Emoji" className={styles["dialog"] ?? ""}>
        <Picker.Root
          className={styles["root"]}
          columns={9}
          emojibaseUrl={EMOJI_URL}
          locale="en"
          onEmojiSelect={({ emoji }) => onPick(emoji)}
        >
          <Picker.Search className={styles["search"]} placeholder="Search emoji" aria-label="Search emoji" autoFocus />
          <Picker.Viewport className={styles["viewport"]}>
            <Picker.Loading className={styles["middle"]}>
              <Spinner label="Loading" />
            </Picker.Loading>
            <Picker.Empty className={styles["middle"]}>No emoji of this name</Picker.Empty>
            <Picker.List className={styles["list"]} components={PARTS} />
          </Picker.Viewport>
        </Picker.Root>
      </Dialog>
    </Popover>
  );
}

const PARTS = {
  CategoryHeader: ({ category, ...props }: { category: { label: string } }) => (
    <div className={styles["category"]} {...props}>
      {category.label}
    </div>
  ),
  Row: (props: object) => <div className={styles["row"]} {...props} />,
  Emoji: ({ emoji, ...props }: { emoji: { emoji: string; label: string; isActive: boolean } }) => (
    <button type="button" className={styles["emoji"]} data-active={emoji.isActive || undefined} {...props}>
      {emoji.emoji}
    </button>
  ),
};
