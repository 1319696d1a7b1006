import { useState } from "react";
import { Button, IconButton } from "../../ui/Button.tsx";
import { toast } from "../../ui/Toast.tsx";
import styles from "./RichText.module.css";

const FOLD_AT_LINES = 20;

/** Code with its language and a copy button; longer than twenty lines it is folded. */
export function CodeBlock({ text, lang }: { text: string; lang?: string | undefined }) {
  const lines = text.split("\n");
  const [folded, setFolded] = useState(lines.length > FOLD_AT_LINES);
  const shown = folded ? lines.slice(0, FOLD_AT_LINES).join("\n") : text;
  const copy = () => void navigator.clipboard.writeText(text).then(() => toast("Code copied"));
  return (
    <div className={styles["codeBox"]}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- code that scrolls must be reachable by keyboard */}
      <pre tabIndex={0} aria-label={lang ? `Code, ${lang}` : "Code"} role="group">
        <code>{shown}</code>
      </pre>
      <div className={styles["codeTools"]}>
        {lang && <span className={styles["lang"]}>{lang}</span>}
        <IconButton icon="copy" label="Copy code" size="compact" iconSize={14} onPress={copy} />
      </div>
      {lines.length > FOLD_AT_LINES && (
        <Button variant="link" size="compact" className={styles["fold"]} onPress={() => setFolded(!folded)}>
          {folded ? `Show all ${lines.length} lines` : "Show less"}
        </Button>
      )}
    </div>
  );
}
