import styles from "./KeyCaps.module.css";

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** Key caps for a shortcut written as `Ctrl Shift F`; on a Mac `Ctrl` reads as ⌘. */
export function KeyCaps({ keys }: { keys: string }) {
  const text = isMac ? keys.replaceAll("Ctrl", "⌘").replaceAll("Alt", "⌥").replaceAll("Shift", "⇧") : keys;
  return <kbd className={styles["keys"]}>{text}</kbd>;
}
