import { useEffect, useEffectEvent } from "react";
import { useLocation } from "wouter";
import { neighbour } from "../models/rooms/entry.ts";
import type { Messenger } from "../models/messenger.ts";
import { roomPath, settingsPath } from "../models/routes.ts";
import { effectiveTheme, setTheme } from "../ui/theme.ts";
import { useLayers } from "./layers.ts";

const REGIONS = ["sidebar", "timeline", "composer", "panel"];
/** What gets the focus in a part of the window: where one is, where one writes, then the first thing. */
const FIRST_IN_REGION = ["[aria-current]", "textarea", "article[tabindex='0']", "input", "button, a"];

/** The keys that work everywhere (web specification, keyboard map). Keys of a list or a field are handled there. */
export function useKeyboard(messenger: Messenger, current: string | null): void {
  const [, navigate] = useLocation();
  const { current: layer, open } = useLayers();
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || layer.layer !== "none") return;
    const action = actionOf(event, { messenger, current, navigate, open });
    if (!action) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

interface Context {
  messenger: Messenger;
  current: string | null;
  navigate: (path: string) => void;
  open: (layer: { layer: "switcher" } | { layer: "keyboard" }) => void;
}

function actionOf(event: KeyboardEvent, context: Context): (() => void) | null {
  const { messenger, current, navigate, open } = context;
  const ctrl = event.ctrlKey || event.metaKey;
  if (ctrl && !event.shiftKey && event.key.toLowerCase() === "k") return () => open({ layer: "switcher" });
  if (ctrl && event.key === ",") return () => navigate(settingsPath());
  if (ctrl && event.shiftKey && event.key.toLowerCase() === "d")
    return () => setTheme(effectiveTheme() === "dark" ? "light" : "dark");
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    const step = { by: event.key === "ArrowDown" ? 1 : -1, unreadOnly: event.shiftKey } as const;
    const next = neighbour(messenger.rooms.getState().rooms, current, step);
    return next ? () => navigate(roomPath(next)) : null;
  }
  if (event.key === "F6") return () => cycleRegions(event.shiftKey ? -1 : 1);
  if (event.key === "Escape" && !ctrl && current) return () => messenger.room(current)?.markAllRead();
  if (event.key === "?" && !inField(event)) return () => open({ layer: "keyboard" });
  return null;
}

function inField(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]") !== null;
}

/** Moves the focus to the next part of the window: the list, the messages, the composer, the panel. */
function cycleRegions(by: 1 | -1): void {
  const regions = REGIONS.flatMap((name) => [
    ...document.querySelectorAll<HTMLElement>(`[data-region="${name}"]`),
  ]).filter((region) => region.offsetParent !== null);
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + by + regions.length) % regions.length];
  const targets = FIRST_IN_REGION.flatMap((selector) => next?.querySelector<HTMLElement>(selector) ?? []);
  targets[0]?.focus();
}
