/** The streams of this process that are signed in, by person. */
import type { Follower } from "./follower.ts";

export interface Registry {
  add(follower: Follower): void;
  remove(follower: Follower): void;
  ofUser(userId: string): ReadonlySet<Follower>;
  /** How many people have a stream here. */
  people(): number;
  count(): number;
  all(): Iterable<Follower>;
  users(): Iterable<string>;
}

const none: ReadonlySet<Follower> = new Set();

export function createRegistry(): Registry {
  const byUser = new Map<string, Set<Follower>>();
  let count = 0;
  return {
    add(follower) {
      const { userId } = follower.session;
      const own = byUser.get(userId);
      if (own) own.add(follower);
      else byUser.set(userId, new Set([follower]));
      count += 1;
    },
    remove(follower) {
      const { userId } = follower.session;
      const own = byUser.get(userId);
      if (!own?.delete(follower)) return;
      count -= 1;
      if (own.size === 0) byUser.delete(userId);
    },
    ofUser: (userId) => byUser.get(userId) ?? none,
    people: () => byUser.size,
    count: () => count,
    *all() {
      for (const own of byUser.values()) yield* own;
    },
    users: () => byUser.keys(),
  };
}
