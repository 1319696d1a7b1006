/** What the access graph is made of. Times are milliseconds since 1970. */

import type { OperatorRole } from "../console/operation.ts";
import type { GraphExport, GraphFetch, GraphLegalAccess } from "../person/for-the-graph.ts";

export type Export = GraphExport;
export type Fetch = GraphFetch;
export type LegalAccess = GraphLegalAccess;

export type Membership = "join" | "invite" | "knock" | "leave" | "ban";

export interface Person {
  userId: string;
  name: string | null;
  isAdmin: boolean;
  status: "active" | "suspended" | "deactivated" | "unknown";
  /** `service`: a user of an application service. `shell`: whoever acted from a shell of the server. */
  kind: "person" | "bot" | "service" | "shell";
  created_ms: number | null;
  /** What they are among operators, who gave them that where it is known, and when. */
  role: OperatorRole | null;
  roleBy: string | null;
  role_ms: number | null;
}

export interface Device {
  userId: string;
  deviceId: string;
  name: string | null;
  created_ms: number;
  lastSeen_ms: number;
  isVerified: boolean;
  hasKeys: boolean;
  /** Signed out since then. */
  ended_ms: number | null;
}

export interface Room {
  roomId: string;
  name: string | null;
  nameEvent: string | null;
  alias: string | null;
  aliasEvent: string | null;
  isSpace: boolean;
  roomVersion: string | null;
  creators: string[];
  created_ms: number | null;
  joinRule: string;
  visibility: string;
  encrypted_ms: number | null;
  predecessor: string | null;
  replacement: string | null;
  replacementEvent: string | null;
  usersDefault: number;
  inviteLevel: number;
  /** The power that it takes to change who has power. */
  manageLevel: number;
  hasLevels: boolean;
  canVouch: boolean;
}

export interface MembershipRow {
  userId: string;
  roomId: string;
  membership: Membership;
  since_ms: number;
  sincePosition: number;
  byUser: string;
  invitedBy: string | null;
  invited_ms: number | null;
  vouchedBy: string | null;
}

export interface Stay {
  userId: string;
  roomId: string;
  fromPosition: number;
  from_ms: number;
  untilPosition: number | null;
  until_ms: number | null;
  /** When the invitation came that it began with, if it did with one. */
  invitedPosition: number | null;
  invited_ms: number | null;
}

export interface Power {
  roomId: string;
  userId: string;
  level: number;
  grantedBy: string;
  granted_ms: number;
}

export interface Nesting {
  spaceId: string;
  roomId: string;
  saidBy: "child" | "parent";
  byUser: string;
  since_ms: number;
  eventId: string;
}

export interface Admission {
  roomId: string;
  viaRoomId: string;
  byUser: string;
  since_ms: number;
}

export interface Visibility {
  roomId: string;
  position: number;
  visibility: string;
  since_ms: number;
  byUser: string;
}

/** The power of a creator in room version 12: more than any number that an event can hold. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** Join rules by which members of other rooms come in. */
export function isRestricted(joinRule: string): boolean {
  return joinRule === "restricted" || joinRule === "knock_restricted";
}

/** Join rules under which an invitation lets somebody in; `private`, and what is not understood, lets nobody in. */
export const enterable: readonly string[] = ["public", "invite", "knock", "restricted", "knock_restricted"];

export function newRoom(roomId: string): Room {
  return {
    roomId,
    name: null,
    nameEvent: null,
    alias: null,
    aliasEvent: null,
    isSpace: false,
    roomVersion: null,
    creators: [],
    created_ms: null,
    joinRule: "invite",
    visibility: "shared",
    encrypted_ms: null,
    predecessor: null,
    replacement: null,
    replacementEvent: null,
    usersDefault: 0,
    inviteLevel: 0,
    manageLevel: 50,
    hasLevels: false,
    canVouch: false,
  };
}
