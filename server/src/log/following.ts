/**
 * How much of what others append this process reads. Whoever has clients that follow the log needs everything. All others, such as
 * workers that write messages, need what changes their minds: state, redactions, account data, ended sessions. Messages are most
 * of a log, and each process that reads them costs about as much as the one that wrote them.
 */
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import { readChanges, readEntries } from "./queries.ts";
import { createTail, type Tail } from "./tail.ts";

export type Follows = "everything" | "changes";

type Read = Awaited<ReturnType<typeof readEntries>>;

export interface Following {
  /** At most `limit` entries above `after` of those that are followed. */
  fetch(after: number, limit: number): Promise<Read>;
  /** From now on everything is followed: what is committed after this call is among what is fetched. */
  followAll(): void;
}

export function openFollowing(db: Db, follows: Follows): Following {
  let isAll = follows === "everything";
  return {
    async fetch(after, limit) {
      if (isAll) return readEntries(db, after, limit);
      const changes = await readChanges(db, after, limit);
      // Read when messages were not wanted yet, but maybe after one was committed that is.
      return isAll ? readEntries(db, after, limit) : changes;
    },
    followAll: () => void (isAll = true),
  };
}

/** The tail of a process: with gaps where it does not follow everything. Then no range of it is whole, and it gives none. */
export function openTail(follows: Follows, start: number, head: () => number): Tail {
  if (follows === "everything") return createTail(start);
  const young = createTail(start, { entries: limits.tailYoung_entries, bytes: limits.tailYoung_bytes });
  const nothing = () => [];
  return { ...young, floor: head, ofRoom: nothing, ofUser: nothing, deviceLists: nothing, lastOfRoom: () => 0 };
}
