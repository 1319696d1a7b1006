/**
 * What is true for a moment only and is never in the log: who is typing, who is online, how far an upload is, and how much of
 * a limit is used. All replicas share it through a store (memory, Redis or PostgreSQL). Losing it costs a flicker: nothing here
 * throws because the store is away, and presence then stands still until it is back.
 *
 * Every change of typing and presence gets a number from the clock of the store; the numbers only grow, also over a restart and
 * over the loss of the store, and mean the same on every replica, so that a sync token can say how much a client has seen.
 */
import type { Bucket, Spending } from "./store.ts";

export interface Ephemeral {
  /** Everything up to this number is known in this process. */
  clock(): number;
  /** `timeout_ms` from now, or until set anew, the person types in the room; 0 ends it. See `written`. */
  setTyping(typing: { roomId: string; userId: string; timeout_ms: number }): void;
  /** Who types in the room, and the number of the last change there; undefined where nobody has lately. */
  typing(roomId: string): { users: readonly string[]; changed: number } | undefined;
  /**
   * What a session says of its person. A person is online while any session is, on any replica. That nothing changes is the
   * mostly case and costs nothing: signs of life are written together, every `limits.presenceRefresh_ms`. See `written`.
   */
  setPresence(userId: string, presence: NewPresence): void;
  presence(userId: string): Presence | undefined;
  /** Whose presence changed above `after`, the oldest change first; at most the newest few thousand are known. */
  presenceChanges(after: number): Iterable<{ userId: string; presence: Presence }>;
  /** Calls `listener` at each change of typing and presence, wherever it was made. */
  listen(listener: (change: Change) => void): void;
  /** Resolves when what was set here can be seen here, or the store was given up. Never rejects. */
  written(): Promise<void>;

  /** Tells how far an upload is; repeated calls are written together. What is not told anew is forgotten by and by. */
  setUpload(upload: Upload): void;
  /** How far an upload is, told on any replica; undefined where it is not known, or the store is away. */
  upload(id: string): Promise<Upload | undefined>;
  /** Calls `listener` as uploads go on, on this replica or another: at most once for each call of `setUpload`. */
  listenUploads(listener: (upload: Upload) => void): void;

  /** Takes from the token buckets that all replicas share, in one round trip; undefined where the store is away. */
  spend(spendings: readonly Spending[]): Promise<readonly Bucket[] | undefined>;
  /** Writes what is still to be written, and lets go of the store. What sessions said goes on until its timeout. */
  close(): Promise<void>;
}

export type Change = { roomId: string } | { userId: string };

export type PresenceState = "online" | "unavailable" | "offline";

export interface NewPresence {
  /** Whose word it is; sessions of one person count apart, and all that are not named are one. */
  sessionId?: number;
  state: PresenceState;
  /** undefined leaves the message as it is; null takes it away. It is the person's, not the session's. */
  statusMessage?: string | null | undefined;
  /** Whether the person does something right now, so that "last active" moves. */
  active: boolean;
  /** How long the session counts without another sign of life; `limits.presence_ms` where it is left out. */
  timeout_ms?: number;
}

export interface Presence {
  state: PresenceState;
  statusMessage: string | null;
  /** By this process's clock. Behind by up to `limits.presence_ms` for whoever is online elsewhere. */
  lastActive_ms: number;
  changed: number;
}

export interface Upload {
  id: string;
  userId: string;
  status: "uploading" | "complete" | "failed";
  bytes: number;
  /** Undefined where the client did not say. */
  total: number | undefined;
}
