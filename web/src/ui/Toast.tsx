import { create } from "zustand";
import { IconButton } from "./Button.tsx";
import { Icon } from "./Icon.tsx";
import styles from "./Toast.module.css";

interface ToastEntry {
  id: number;
  text: string;
  tone: "info" | "danger";
}

const SHOWN_MS = 6_000;
const useToasts = create<{ list: ToastEntry[] }>(() => ({ list: [] }));
let lastId = 0;

/** Says something briefly at the foot of the screen, such as "Link copied". What needs an answer is a dialog instead. */
export function toast(text: string, tone: "info" | "danger" = "info"): void {
  lastId += 1;
  const entry = { id: lastId, text, tone };
  useToasts.setState(({ list }) => ({ list: [...list.slice(-2), entry] }));
  setTimeout(() => dismiss(entry.id), SHOWN_MS);
}

/** Runs an action and says its failure in words that begin with `what`: "Could not leave: you are the last admin". */
export async function attempt(what: string, action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    toast(`${what}: ${reasonOf(error)}`, "danger");
    return false;
  }
}

/** The sentence in an error; a Matrix error carries the server's own words. */
export function reasonOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "data" in error) {
    const data = error.data as { error?: unknown } | undefined;
    if (typeof data?.error === "string") return data.error;
  }
  return error instanceof Error ? error.message : String(error);
}

function dismiss(id: number): void {
  useToasts.setState(({ list }) => ({ list: list.filter((entry) => entry.id !== id) }));
}

/** Where toasts appear; mounted once by the shell. */
export function Toasts() {
  const list = useToasts((state) => state.list);
  return (
    <section className={styles["region"]} aria-label="Notices" aria-live="polite">
      {list.map((entry) => (
        <div key={entry.id} className={styles["toast"]}>
          {entry.tone === "danger" && <Icon name="alert" />}
          <span className={styles["text"]}>{entry.text}</span>
          <IconButton icon="close" label="Dismiss" size="compact" iconSize={14} onPress={() => dismiss(entry.id)} />
        </div>
      ))}
    </section>
  );
}
