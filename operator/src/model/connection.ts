/** Whether the server is there, and when it last was: what stands on the screen is as old as that. */
import { useSyncExternalStore } from "react";

export interface Connection {
  /** False from the first request that nobody answered until one is answered. */
  isThere: boolean;
  /** When the server last answered, in milliseconds; 0 before that. */
  answeredAt_ms: number;
}

let state: Connection = { isThere: true, answeredAt_ms: 0 };
const listeners = new Set<() => void>();

function set(next: Connection): void {
  const isNews = next.isThere !== state.isThere;
  state = next;
  if (isNews) for (const listener of listeners) listener();
}

/** The server answered, whatever it said. */
export function answered(now_ms = Date.now()): void {
  set({ isThere: true, answeredAt_ms: now_ms });
}

/** A request found nobody. */
export function unreachable(): void {
  set({ ...state, isThere: false });
}

export function connection(): Connection {
  return state;
}

/** The connection, for views; they hear of it when the server goes and when it comes back. */
export function useConnection(): Connection {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, connection);
}
