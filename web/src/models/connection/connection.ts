/**
 * How the connection to the homeserver stands, as the screens show it.
 *
 *   connected ──▶ reconnecting   a request has failed and 3 s have passed
 *             ──▶ offline        10 s have passed, or the browser says that there is no network
 *   connected ──▶ catchingUp     many events arrive after a long time away
 *
 * `refused` means that the server answers, but with an error; the next try is at `retryAt_ms`.
 */
export type Connection =
  | { phase: "connected" }
  | { phase: "reconnecting" }
  | { phase: "offline" }
  | { phase: "catchingUp" }
  | { phase: "refused"; reason: string; retryAt_ms: number };

export const RECONNECTING_AFTER_MS = 3_000;
export const OFFLINE_AFTER_MS = 10_000;
const MAINTENANCE_KEPT_MS = 60_000;

/** What is known of the connection at a moment. Times are milliseconds since 1970. */
export interface Facts {
  now_ms: number;
  /** What the browser says of the network. */
  online: boolean;
  /** When the sync began to fail; null while it works. */
  failingSince_ms: number | null;
  /** The server's own answer, when it answered with an error. */
  refusal: { reason: string; retryAt_ms: number } | null;
  /** An operator has stopped writing: the sync goes on, and the last message was refused with this. */
  maintenance: { reason: string; retryAt_ms: number } | null;
  catchingUp: boolean;
}

/** The state for the facts, and when to look again although nothing has happened (null for never). */
export function connectionOf(facts: Facts): { connection: Connection; lookAgainAt_ms: number | null } {
  if (!facts.online) return { connection: { phase: "offline" }, lookAgainAt_ms: null };
  const { failingSince_ms: since, now_ms: now, maintenance } = facts;
  // Whoever writes nothing more does not hear of its end.
  const forgetAt_ms = (maintenance?.retryAt_ms ?? 0) + MAINTENANCE_KEPT_MS;
  if (maintenance && now < forgetAt_ms)
    return { connection: { phase: "refused", ...maintenance }, lookAgainAt_ms: forgetAt_ms };
  if (since === null) {
    return { connection: { phase: facts.catchingUp ? "catchingUp" : "connected" }, lookAgainAt_ms: null };
  }
  if (facts.refusal) return { connection: { phase: "refused", ...facts.refusal }, lookAgainAt_ms: null };
  if (now - since >= OFFLINE_AFTER_MS) return { connection: { phase: "offline" }, lookAgainAt_ms: null };
  if (now - since >= RECONNECTING_AFTER_MS) {
    return { connection: { phase: "reconnecting" }, lookAgainAt_ms: since + OFFLINE_AFTER_MS };
  }
  return { connection: { phase: "connected" }, lookAgainAt_ms: since + RECONNECTING_AFTER_MS };
}
