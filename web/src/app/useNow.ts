import { useSyncExternalStore } from "react";

/** One timer for the whole page, running while anybody looks. */
function clockOf(step_ms: number) {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let now_ms = Date.now();
  const tick = () => {
    now_ms = Date.now();
    for (const listener of listeners) listener();
  };
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    timer ??= setInterval(tick, step_ms);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
  return { subscribe, read: () => now_ms };
}

const slow = clockOf(30_000);
const fast = clockOf(1_000);

/** The time now, in milliseconds since 1970, refreshed twice a minute. */
export function useNow(): number {
  return useSyncExternalStore(slow.subscribe, slow.read);
}

/** The time now, refreshed every second: for countdowns only. */
export function useSeconds(): number {
  return useSyncExternalStore(fast.subscribe, fast.read);
}
