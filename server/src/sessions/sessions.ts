/**
 * Where the sessions of browsers are kept: a text under a secret id, for some time. Ids are secrets, so a store keeps only their
 * hashes, and whoever reads it can not go on with a session.
 *
 * Every store keeps to this: what `set`, `touch`, `delete` or `deleteAll` has acknowledged is what every replica of the same store
 * reads from then on. All times are of the store's one clock, whatever the clocks of replicas show.
 */
export interface SessionStore {
  readonly name: "memory" | "postgresql";
  /** What was set; undefined when it was deleted, or its time has passed. */
  get(id: string): Promise<StoredSession | undefined>;
  /** Sets or replaces it, for `ttl_ms` from now. Beyond `limits.consoleSessions` in all, those that were used least recently go. */
  set(id: string, data: string, options: { owner: string; ttl_ms: number }): Promise<void>;
  /** Gives it `ttl_ms` from now. A session that is gone stays gone. */
  touch(id: string, ttl_ms: number): Promise<void>;
  /** Deleting what is not there is nothing. */
  delete(id: string): Promise<void>;
  /** Deletes all of one owner; gives how many there were. */
  deleteAll(owner: string): Promise<number>;
  /** The store's clock, in milliseconds since 1970. */
  now_ms(): Promise<number>;
}

export interface StoredSession {
  data: string;
  /** How long it would live on without being touched. */
  left_ms: number;
  /** The store's clock at the read. */
  now_ms: number;
}
