import { type KeyboardEvent, useState } from "react";

export interface CursorOptions {
  rows: number;
  /** How many rows PageUp and PageDown go over. */
  page: () => number;
  scrollTo: (index: number) => void;
  open: (index: number) => void;
  toggle?: ((index: number) => void) | undefined;
  focusFilter: () => void;
}

/** The current row of a grid and the keys that move it: j, k, arrows, Home, End, PageUp, PageDown; x selects, Enter opens. */
export function useCursor({ rows, page, scrollTo, open, toggle, focusFilter }: CursorOptions) {
  const [wanted, setCurrent] = useState(-1);
  const current = Math.min(wanted, rows - 1);
  const go = (index: number) => {
    const next = Math.max(0, Math.min(rows - 1, index));
    setCurrent(next);
    scrollTo(next);
  };
  const acts: Readonly<Record<string, () => void>> = {
    j: () => go(current + 1),
    ArrowDown: () => go(current + 1),
    k: () => go(current - 1),
    ArrowUp: () => go(current - 1),
    Home: () => go(0),
    End: () => go(rows - 1),
    PageDown: () => go(current + page()),
    PageUp: () => go(current - page()),
    Enter: () => current >= 0 && open(current),
    x: () => current >= 0 && toggle?.(current),
    " ": () => current >= 0 && toggle?.(current),
    "/": focusFilter,
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
    event.preventDefault();
    act();
  };
  return { current, setCurrent, onKeyDown, onFocus: () => wanted < 0 && rows > 0 && setCurrent(0) };
}
