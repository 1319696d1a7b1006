/** The content of an m.presence event, and of the answer about one person. Specification: presence module. */
import type { Presence } from "../ephemeral/ephemeral.ts";
import { limits } from "../limits.ts";

export function presenceContent({ state, statusMessage, lastActive_ms }: Presence, now_ms: number): object {
  const isOnline = state === "online";
  // Whoever is online gave a sign of life within this time, perhaps to another replica, which does not tell of each.
  const most_ms = isOnline ? limits.presence_ms : Number.POSITIVE_INFINITY;
  return {
    presence: state,
    last_active_ago: Math.min(most_ms, Math.max(0, Math.round(now_ms - lastActive_ms))),
    currently_active: isOnline,
    ...(statusMessage === null ? {} : { status_msg: statusMessage }),
  };
}
