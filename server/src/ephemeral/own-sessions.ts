/**
 * What the sessions of this process said of their people, so that thousands of syncs are not thousands of writes: what changes
 * something is written at once, a mere sign of life with all the others, every `limits.presenceRefresh_ms`.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import { limits } from "../limits.ts";
import type { Seams, Timer } from "../seams.ts";
import type { NewPresence, Presence, PresenceState } from "./ephemeral.ts";
import type { PresenceOperation } from "./store.ts";

interface OwnSession {
  user: string;
  session: string;
  state: PresenceState;
  timeout_ms: number;
  /** Its last sign of life, and when the person was last active, by the monotonic clock. */
  seen_ms: number;
  active_ms: number | undefined;
  /** Until when the store lets it count. */
  until_ms: number;
}

export interface OwnSessions {
  note(userId: string, presence: NewPresence): void;
  /** Writes everything again that still counts: the store has forgotten it, or may have. */
  repeat(): void;
  close(): void;
}

export interface OwnSessionsOptions {
  seams: Seams;
  /** What is known of the person, from all sessions. */
  presence(userId: string): Presence | undefined;
  write(operation: PresenceOperation): void;
}

export function openOwnSessions({ seams, presence, write }: OwnSessionsOptions): OwnSessions {
  const sessions = new LRUCache<string, OwnSession>(atMost(limits.presence_users));
  const seen = new Set<OwnSession>();
  let refresh: Timer | undefined;

  function put(own: OwnSession, status?: string | null): void {
    const now_ms = seams.monotonic_ms();
    seen.delete(own);
    own.until_ms = own.seen_ms + own.timeout_ms;
    write({
      user: own.user,
      session: own.session,
      state: own.state,
      idle_ms: Math.round(now_ms - own.seen_ms),
      timeout_ms: own.timeout_ms,
      ...(own.active_ms === undefined ? {} : { active_ms: Math.round(now_ms - own.active_ms) }),
      ...(status === undefined ? {} : { status }),
    });
  }

  function putSeen(): void {
    refresh = undefined;
    for (const own of seen) put(own);
  }

  return {
    note(userId, { sessionId = 0, state, statusMessage, active, timeout_ms = limits.presence_ms }) {
      const now_ms = seams.monotonic_ms();
      const key = `${sessionId} ${userId}`;
      const before = sessions.get(key);
      const own = before ?? { user: userId, session: String(sessionId), until_ms: 0, active_ms: undefined };
      const person = presence(userId);
      const isNews =
        before?.state !== state ||
        own.until_ms <= now_ms ||
        // Another replica had this session meanwhile.
        (state === "online" && person?.state !== "online") ||
        (statusMessage !== undefined && person?.statusMessage !== statusMessage);
      const next = Object.assign(own, { state, timeout_ms, seen_ms: now_ms }, active ? { active_ms: now_ms } : {});
      if (state === "offline") sessions.delete(key);
      else sessions.set(key, next);
      if (isNews) return put(next, statusMessage);
      if (state === "offline") return;
      seen.add(next);
      refresh ??= seams.after(limits.presenceRefresh_ms, putSeen);
    },
    repeat() {
      const now_ms = seams.monotonic_ms();
      for (const own of sessions.values()) if (own.seen_ms + own.timeout_ms > now_ms) put(own);
    },
    close: () => refresh?.cancel(),
  };
}
