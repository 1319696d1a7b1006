/**
 * What is true for a moment only and is never in the log: who is typing, and who is online. Losing it costs a flicker.
 *
 * Every change gets a number from the clock of this port; the numbers only grow, also over a restart, so that a sync token can
 * say how much of it a client has seen.
 */
export interface Ephemeral {
  /** The number of the newest change. */
  clock(): number;
  /** `timeout_ms` from now, or until set anew, the person types in the room; 0 ends it. */
  setTyping(typing: { roomId: string; userId: string; timeout_ms: number }): void;
  /** Who types in the room, and the number of the last change there; undefined where nobody has since the start. */
  typing(roomId: string): { users: readonly string[]; changed: number } | undefined;
  /** Sets a person's presence, and tells those who listen if it differs from before. */
  setPresence(userId: string, presence: NewPresence): void;
  presence(userId: string): Presence | undefined;
  /** Whose presence changed above `after`, with the number of the change; at most the newest few thousand are known. */
  presenceChanges(after: number): Iterable<{ userId: string; presence: Presence }>;
  /** Calls `listener` at each change. */
  listen(listener: (change: { roomId: string } | { userId: string }) => void): void;
}

export type PresenceState = "online" | "unavailable" | "offline";

export interface NewPresence {
  state: PresenceState;
  /** undefined leaves the message as it is; null takes it away. */
  statusMessage?: string | null | undefined;
  /** Whether the person does something right now, so that "last active" moves. */
  active: boolean;
  /** How long without another sign of life until the person counts as offline. */
  timeout_ms?: number;
}

export interface Presence {
  state: PresenceState;
  statusMessage: string | null;
  lastActive_ms: number;
  changed: number;
}
