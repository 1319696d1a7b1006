/** What was just done, and the way back for ten seconds. */
import { useEffect } from "react";
import { Button } from "../../../web/src/ui/Button.tsx";
import { attempt } from "../../../web/src/ui/Toast.tsx";
import { refresh } from "../model/queries.ts";
import { store, useStore } from "../model/store.ts";
import styles from "./Undo.module.css";

const SHOWN_MS = 10_000;

interface Done {
  text: string;
  undo?: (() => Promise<unknown>) | undefined;
}

const done = store<Done | null>(null);

/** Says that something was done; with `undo` it can be taken back. */
export function sayDone(text: string, undo?: () => Promise<unknown>): void {
  done.set({ text, undo });
}

async function takeBack({ undo }: Done): Promise<void> {
  done.set(null);
  if (undo && (await attempt("Could not take it back", undo))) sayDone("Taken back.");
  await refresh();
}

/** Where it is said; mounted once by the frame. */
export function Undo() {
  const shown = useStore(done);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => done.set(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  return (
    <div className={styles["region"]} role="status">
      {shown && (
        <div className={styles["done"]}>
          <span>{shown.text}</span>
          {shown.undo && (
            <Button variant="quiet" size="compact" onPress={() => void takeBack(shown)}>
              Undo
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
