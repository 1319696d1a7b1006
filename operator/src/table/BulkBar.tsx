import { Button } from "../../../web/src/ui/Button.tsx";
import { grouped } from "../parts/words.ts";
import { useWriteBar } from "../parts/useWriteBar.ts";
import type { BulkAct } from "./types.ts";
import styles from "./Table.module.css";

/** What can be done with the selected rows; it stands at the foot while there are any. */
export function BulkBar<T>({ acts, items, onClear }: { acts: readonly BulkAct<T>[]; items: T[]; onClear: () => void }) {
  const barred = useWriteBar();
  if (items.length === 0) return null;
  return (
    <div className={styles["bulk"]} role="toolbar" aria-label="With the selected rows">
      <span className={styles["selected"]}>{grouped(items.length)} selected</span>
      {acts.map(({ id, label, icon, run }) => (
        <Button
          key={id}
          size="compact"
          {...(icon ? { icon } : {})}
          isDisabled={barred !== null}
          onPress={() => run(items)}
        >
          {label}
        </Button>
      ))}
      <span className={styles["gap"]} />
      <Button variant="quiet" size="compact" onPress={onClear}>
        Clear selection
      </Button>
    </div>
  );
}
