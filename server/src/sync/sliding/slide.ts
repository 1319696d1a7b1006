/** What one answer of sliding sync works on. */
import type { Context } from "../../context.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { Memberships } from "../../rooms/cache.ts";
import type { RoomState } from "../../rooms/state.ts";
import type { SyncParts } from "../run.ts";
import type { Basis, Frame } from "./frames.ts";
import type { ShownRoom } from "./lists.ts";
import type { Outlines } from "./outlines.ts";
import type { Belongings } from "./person.ts";
import type { SlidingAsk } from "./request.ts";
import type { ConnectionState, SentRoom } from "./state.ts";
import type { AnswerMembers } from "./told-members.ts";

export interface Slide {
  ctx: Context;
  parts: SyncParts;
  ask: SlidingAsk;
  /** Where the client stands; undefined where it begins. */
  since: number | undefined;
  /** How much of typing it has seen. */
  seen: number;
  /** The answer tells everything up to here. */
  upTo: number;
  state: ConnectionState;
  memberships: Memberships;
  belongings: Belongings;
  outlines: Outlines;
  /** Of the person's rooms those in which something happened since; undefined where that is not known. */
  moved: ReadonlySet<string> | undefined;
  /** What the answer is built on, and what the one after this may rest on. */
  frame: Frame | undefined;
  basis: Basis | undefined;
  ignoredUsers: ReadonlySet<string>;
  members: AnswerMembers;
  /** What concerns the person alone since they last asked: account data, to-device messages, sessions. */
  own: readonly LogEntry[];
}

/**
 * What a room is to the person: one that they are in; one that they look at from outside, with an invitation or a knock; or one
 * that they are no longer in.
 */
export type Kind = "joined" | "outside" | "left";

/** What is to be told of a room that the request shows. */
export interface Plan extends ShownRoom {
  kind: Kind;
  before: SentRoom | undefined;
  /** The client has the room up to here; undefined: it is told as if the client had nothing of it. */
  from: number | undefined;
  /** The last position of the room that concerns the person. */
  end: number;
  room: RoomState;
}

/** Whether the process has everything above this position in memory. */
export function isInMemory({ ctx }: Pick<Slide, "ctx">, position: number): boolean {
  return position >= ctx.log.tail.floor();
}
