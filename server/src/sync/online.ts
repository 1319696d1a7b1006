/** Presence by way of syncing. Specification: client-server-api, GET /sync, `set_presence`. */
import type { Context } from "../context.ts";
import type { Session } from "../http.ts";
import { limits } from "../limits.ts";

export type SetPresence = "offline" | "online" | "unavailable";

/** Asking for news is a sign of life, unless the client says otherwise. */
export function noteOnline(ctx: Context, session: Session, state: SetPresence = "online"): void {
  if (state === "offline") return;
  ctx.ephemeral.setPresence(session.userId, {
    sessionId: session.id,
    state,
    active: state === "online",
    timeout_ms: limits.presence_ms,
  });
}
