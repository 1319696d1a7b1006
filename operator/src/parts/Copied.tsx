import { IconButton } from "../../../web/src/ui/Button.tsx";
import { attempt, toast } from "../../../web/src/ui/Toast.tsx";
import styles from "./Copied.module.css";

/** A text to take away, such as a token, with a button that copies it. */
export function Copied({ label, text }: { label: string; text: string }) {
  const copy = async () => {
    if (await attempt("Could not copy", () => navigator.clipboard.writeText(text))) toast(`${label} copied`);
  };
  return (
    <div className={styles["copied"]}>
      <span className={styles["label"]}>{label}</span>
      <code className={styles["text"]}>{text}</code>
      <IconButton icon="copy" label={`Copy ${label.toLowerCase()}`} onPress={() => void copy()} />
    </div>
  );
}
