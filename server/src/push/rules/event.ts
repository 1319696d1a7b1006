// An event as push rules look at it: prepared once, then shared by the evaluations for all members of its room, so that
// a body is lower-cased once and a list of mentions indexed once, and only when some rule asks.

import { readProperty } from "./property-path.ts";
import type { Scalar } from "./ruleset.ts";

/** What the rules read of a room event, in the format that clients get. */
export type RawEvent = {
  type: string;
  sender: string;
  room_id: string;
  state_key?: string | undefined;
  content: object;
};

/** What the rules ask about the room at the time of the event. The functions are called only when a rule needs them. */
export type PushRoom = {
  /** How many users have joined. */
  memberCount: number;
  /** The power level of a user; Infinity for the creators of a room of version 12. */
  powerLevelOf(userId: string): number;
  /** The `notifications` of the content of `m.room.power_levels`, or undefined where there is none. */
  notificationLevels?: unknown;
  /** The display name of a member in this room, or undefined where they have none. */
  displayNameOf(userId: string): string | undefined;
};

export type PushEvent = {
  readonly raw: RawEvent;
  readonly room: PushRoom;
  /** The type in lower case, because `event_match` knows no case. */
  readonly foldedType: string;
  /** Lower-cased strings by their path; filled by `foldedString`. */
  readonly folded: Map<string, string>;
  /** The items of arrays by their path; filled by `itemsOf`. */
  readonly items: Map<string, ReadonlySet<unknown>>;
};

/** A property path, parsed once for all events. */
export type PropertyPath = { readonly text: string; readonly names: readonly string[] };

/** Prepares an event in its room. Costs next to nothing until a rule asks for a property. */
export function prepareEvent(raw: RawEvent, room: PushRoom): PushEvent {
  return { raw, room, foldedType: raw.type.toLowerCase(), folded: new Map(), items: new Map() };
}

/** The lower-cased string at a path, or undefined where there is none or it is not a string. */
export function foldedString(event: PushEvent, path: PropertyPath): string | undefined {
  const known = event.folded.get(path.text);
  if (known !== undefined) return known;
  const value = readProperty(event.raw, path.names);
  if (typeof value !== "string") return undefined;
  const folded = value.toLowerCase();
  event.folded.set(path.text, folded);
  return folded;
}

/** The items of the array at a path, or undefined where there is no array. */
export function itemsOf(event: PushEvent, path: PropertyPath): ReadonlySet<unknown> | undefined {
  const known = event.items.get(path.text);
  if (known !== undefined) return known;
  const value = readProperty(event.raw, path.names);
  if (!Array.isArray(value)) return undefined;
  const items: ReadonlySet<unknown> = new Set<unknown>(value);
  event.items.set(path.text, items);
  return items;
}

/** True for what canonical JSON calls a non-compound value: a string, a safe integer, a boolean or null. */
export function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value);
}
