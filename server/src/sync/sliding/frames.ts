/**
 * What the next answer may build on. A client that shows all of its rooms, and has them, asks for the same again and again, and which
 * rooms it shows changes with the person's memberships and a few words of the rooms, not with messages. As long as that stands, an
 * answer looks at those rooms alone in which something happened, however many others there are.
 * docs/decisions/0070-sliding-sync-builds-on-the-answer-before.md
 */
import { LRUCache } from "lru-cache";
import { limits } from "../../limits.ts";
import type { Memberships } from "../../rooms/cache.ts";
import type { Shown } from "./lists.ts";
import type { Belongings } from "./person.ts";
import type { ConnectionState } from "./state.ts";

export interface Frame {
  shown: Shown;
  /** The person's memberships; they are no longer changed. */
  memberships: Memberships;
  /** The client has everything of all rooms that the person is in, up to its token. */
  hasAll: boolean;
}

/** What a frame rests on. */
export interface Basis {
  state: ConnectionState;
  /** The rules of lists, subscriptions and extensions, as text. */
  rules: string;
  /** Those of the cache. An event that changes them makes new belongings; a room that is forgotten makes them fewer. */
  memberships: Memberships;
  size: number;
  belongings: Belongings;
  ignoredUsers: ReadonlySet<string>;
  /** See `Outlines.changes`. */
  outlines: number;
}

export interface Frames {
  /** The frame that was kept for the connection, where all that it rests on is the same, and nothing in it is newer than `since`. */
  find(connection: string, basis: Basis, since: number): Frame | undefined;
  keep(connection: string, basis: Basis, frame: Frame): void;
}

interface Kept {
  basis: Basis;
  frame: Frame;
  /** The position of the newest of the memberships. */
  newest: number;
}

export function openFrames(): Frames {
  const kept = new LRUCache<string, Kept>({
    maxSize: limits.slidingFrames_rooms,
    sizeCalculation: ({ basis }) => basis.size + 10,
  });

  return {
    find(connection, basis, since) {
      const known = kept.get(connection);
      return known && since >= known.newest && isSame(known.basis, basis) ? known.frame : undefined;
    },
    keep(connection, basis, frame) {
      const positions = [...frame.memberships.values()].map(({ position }) => position);
      const newest = positions.reduce((most, position) => Math.max(most, position), 0);
      kept.set(connection, { basis, frame, newest });
    },
  };
}

function isSame(a: Basis, b: Basis): boolean {
  return (Object.keys(a) as (keyof Basis)[]).every((name) => a[name] === b[name]);
}
