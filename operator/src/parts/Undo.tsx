/** What was just done, and the way back for ten seconds. */
import { useEffect, useSyncExternalStore } from "react";
import { Button } from "../../../web/src/ui/Button.tsx";
import { attempt } from "../../../web/src/ui/Toast.tsx";
import styles from "./Undo.module.css";

const SHOWN_MS = 10_000;

interface Done {
  text: string;
  undo?: (() => Promise<unknown>) | undefined;
}

let done: Done | null = null;
const listeners = new Set<() => void>();

function set(next: Done | null): void {
  done = next;
  for (const listener of listeners) listener();
}

/** Says that something was done; with `undo` it can be taken back. */
export function sayDone(text: string, undo?: () => Promise<unknown>): void {
  set({ text, undo });
}

/** Where it is said; mounted once by the frame. */
export function Undo() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => done,
  );
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => set(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  const takeBack = () => {
    const undo = shown?.undo;
    set(null);
    if (undo) void attempt("Could not take it back", undo);
  };
  return (
    <div className={styles["region"]} role="status">
      {shown && (
        <div className={styles["done"]}>
          <span>{shown.text}</span>
          {shown.undo && (
            <Button variant="quiet" size="compact" onPress={takeBack}>
              Undo
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
