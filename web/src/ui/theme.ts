import { useSyncExternalStore } from "react";

/** `system` follows the browser; the other two hold on this device until changed. */
export type Theme = "system" | "light" | "dark";

const KEY = "parley.theme";
const listeners = new Set<() => void>();

/** The theme chosen on this device. */
export function readTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Applies a theme at once and keeps it for the next start, where public/theme.js reads it before the first paint. */
export function setTheme(theme: Theme): void {
  if (theme === "system") {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset["theme"];
  } else {
    localStorage.setItem(KEY, theme);
    document.documentElement.dataset["theme"] = theme;
  }
  for (const listener of listeners) listener();
}

/** The chosen theme, for views that show the choice. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme that is on the screen now. */
export function effectiveTheme(): "light" | "dark" {
  const chosen = readTheme();
  if (chosen !== "system") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
