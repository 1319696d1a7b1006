import { IconButton } from "../../../web/src/ui/Button.tsx";
import { attempt, toast } from "../../../web/src/ui/Toast.tsx";
import styles from "./Block.module.css";

export interface BlockProps {
  label: string;
  text: string;
  /** What is copied where that is more than what is shown: with a secret that no screen shows. */
  copied?: string;
}

/** A text of several lines to take away, such as a piece of a file, with a button that copies it. */
export function Block({ label, text, copied = text }: BlockProps) {
  const copy = async () => {
    if (!(await attempt("Could not copy", () => navigator.clipboard.writeText(copied)))) return;
    toast(copied === text ? `${label} copied` : `${label} copied, with the secret`);
  };
  return (
    <figure className={styles["block"]}>
      <figcaption className={styles["label"]}>
        {label}
        <IconButton icon="copy" label={`Copy ${label.toLowerCase()}`} onPress={() => void copy()} />
      </figcaption>
      <pre className={styles["text"]}>{text}</pre>
    </figure>
  );
}
