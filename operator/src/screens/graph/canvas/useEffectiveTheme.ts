import { useSyncExternalStore } from "react";
import { effectiveTheme, useTheme } from "../../../../../web/src/ui/theme.ts";

const dark = matchMedia("(prefers-color-scheme: dark)");

function listenToSystem(changed: () => void): () => void {
  dark.addEventListener("change", changed);
  return () => dark.removeEventListener("change", changed);
}

/** The theme that is shown, for what is drawn rather than styled; it changes with the choice and with the system. */
export function useEffectiveTheme(): "light" | "dark" {
  useTheme();
  return useSyncExternalStore(listenToSystem, effectiveTheme);
}
