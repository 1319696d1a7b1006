/** What one sync works on: who asks for what, and the stretch of the log that the answer covers. */
import { LRUCache } from "lru-cache";
import type { Context } from "../context.ts";
import type { Session } from "../http.ts";
import type { LogEntry } from "../log/entry.ts";
import { formatToken } from "../log/token.ts";
import type { Memberships, UserMembership } from "../rooms/cache.ts";
import type { RoomState } from "../rooms/state.ts";
import type { CompiledFilter } from "./filter.ts";
import type { News } from "./gather.ts";
import type { UnreadCounter } from "./unread.ts";
import type { Arrived } from "../log/for-devices.ts";
import type { KeyCounts } from "./devices.ts";
import type { Waiters } from "./waiters.ts";

/** What all syncs of this process share. */
export interface SyncParts {
  waiters: Waiters;
  unread: UnreadCounter;
  keyCounts: KeyCounts;
  /** Deletes the to-device messages that a device has acknowledged. */
  deleteArrived(arrived: Arrived): Promise<void>;
  /** By session: which members' events a lazily loading client has, by room and user, as positions. */
  lazyMembers: LRUCache<number, Map<string, Map<string, number>>>;
  /** By session: the newest to-device message that was handed out and not yet acknowledged; absent: nobody knows. */
  handedOut: LRUCache<number, number>;
  /** By session: up to where its to-device messages were acknowledged here. Memory still has them, and the database for a moment. */
  arrived: LRUCache<number, number>;
}

/** The last one is for clients that ask with the name which the parameter had before it was in the specification (MSC4222). */
export type StateSection = "state" | "state_after" | "org.matrix.msc4222.state_after";

export interface Ask {
  session: Session;
  filter: CompiledFilter;
  fullState: boolean;
  /** `state` is that at the start of the timeline; under either of the other names it is that at its end. */
  stateSection: StateSection;
  timeout_ms: number;
  /** The client is told everything, as one that starts from nothing. */
  isFirst: boolean;
  /** It has been told of another history, and must not go on with what it has of it. Then `isFirst` is true as well. */
  startsOver: boolean;
  /** Where the client stands; 0 where it starts from nothing, or from an empty log. */
  since: number;
  /** Which typing and presence it has seen. */
  seen: number;
}

export interface Run {
  ctx: Context;
  parts: SyncParts;
  ask: Ask;
  since: number;
  upTo: number;
  /** The person's memberships at `upTo`, of the rooms that the filter lets through. */
  memberships: Memberships;
  /** The rooms that the person is in at `upTo`; all of them are in memory, and may be ahead of it. */
  joined: ReadonlyMap<string, RoomState>;
  /** Rooms that the person was not in at `since`, or that the client knows nothing of. */
  isNew(roomId: string): boolean;
  /** The membership just behind `since`, for rooms where it changed. */
  membershipBefore: ReadonlyMap<string, UserMembership>;
  news: News;
  /** For rooms that are new: their newest events. */
  history: ReadonlyMap<string, readonly LogEntry[]>;
  /** Of those, the events that others speak of. */
  parents: ReadonlySet<string>;
  ignoredUsers: ReadonlySet<string>;
}

/** A token just behind `position`. */
export function tokenAt(ctx: Context, position: number): string {
  return formatToken({ epoch: ctx.log.epoch, position });
}

/** How many events of a room the client wants at the most. */
export function timelineLimit(ask: Ask): number {
  return ask.filter.timeline.limit;
}
