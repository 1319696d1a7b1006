import { Dialog } from "../../ui/Dialog.tsx";
import { KeyCaps } from "../../ui/KeyCaps.tsx";
import styles from "./Keyboard.module.css";

const GROUPS: { title: string; keys: [string, string][] }[] = [
  {
    title: "Everywhere",
    keys: [
      ["Ctrl K", "Jump to a channel or person"],
      ["Alt ↑ / ↓", "Channel above or below"],
      ["Alt Shift ↑ / ↓", "Unread channel above or below"],
      ["F6 / Shift F6", "Next or previous part of the window"],
      ["Ctrl ,", "Settings"],
      ["Ctrl Shift D", "Light or dark"],
      ["Esc", "Close, or mark the channel as read"],
      ["?", "This list"],
    ],
  },
  {
    title: "Messages",
    keys: [
      ["J / K, ↑ / ↓", "Next or previous message"],
      ["Home / End", "First or last loaded message"],
      ["Enter", "Open the thread"],
      ["R", "Reply"],
      ["T", "Reply in thread"],
      ["E", "Edit"],
      ["+", "React"],
      ["1, 2, 3", "React with 👍, 👀, 🙏"],
      ["C / L", "Copy the text or the link"],
      ["Del", "Delete"],
      ["Shift F10", "All actions"],
    ],
  },
  {
    title: "Writing",
    keys: [
      ["Enter", "Send"],
      ["Shift Enter", "New line"],
      ["↑", "Edit the last message, when empty"],
      ["Ctrl B / I", "Bold, italic"],
      ["Ctrl Shift X / C", "Struck through, code"],
      ["Ctrl U", "Attach files"],
    ],
  },
];

/** The keys in a dialog, at `?`. */
export function Keyboard({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" isOpen onClose={onClose} size="l">
      <KeyList />
    </Dialog>
  );
}

/** Every key that does something. */
export function KeyList() {
  return (
    <div className={styles["columns"]}>
      {GROUPS.map((group) => (
        <section key={group.title}>
          <h3 className={styles["title"]}>{group.title}</h3>
          <dl className={styles["list"]}>
            {group.keys.map(([keys, meaning]) => (
              <div key={keys} className={styles["row"]}>
                <dt>
                  <KeyCaps keys={keys} />
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
