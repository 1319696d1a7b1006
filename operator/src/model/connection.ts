/** Whether the server is there, and when it last was: what stands on the screen is as old as that. */
import { store, useStore } from "./store.ts";

export interface Connection {
  /** False from the first request that nobody answered until one is answered. */
  isThere: boolean;
  /** When the server last answered, in milliseconds; 0 before that. Right while the server is away, and older than that otherwise. */
  answeredAt_ms: number;
}

const state = store<Connection>({ isThere: true, answeredAt_ms: 0 });
let answeredAt_ms = 0;

/** The server answered, whatever it said. */
export function answered(now_ms = Date.now()): void {
  answeredAt_ms = now_ms;
  if (!state.get().isThere) state.set({ isThere: true, answeredAt_ms });
}

/** A request found nobody. */
export function unreachable(): void {
  state.set({ isThere: false, answeredAt_ms });
}

/** The connection, for views; they hear of it when the server goes and when it comes back. */
export function useConnection(): Connection {
  return useStore(state);
}
