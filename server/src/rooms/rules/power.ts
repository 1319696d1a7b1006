/**
 * Who has how much power in a room, and how much an action takes. Specification: client-server-api,
 * `m.room.power_levels`, and room version 12 for creators. Power is an integer, or `Infinity` for a creator in version 12.
 */
import { isObject } from "./event.ts";
import type { Content, RoomEvent, RoomStateView } from "./event.ts";
import { versionOf } from "./versions.ts";

const NO_LEVELS: Content = Object.freeze({});

/** What the properties of `m.room.power_levels` mean when they are absent. */
const DEFAULTS = { users: 0, events: 0, state: 50, creator: 100, notifications: 50 } as const;
const ACTIONS = { invite: 0, kick: 50, ban: 50, redact: 50 } as const;

export type Action = keyof typeof ACTIONS;

/** The content of the room's `m.room.power_levels` event; empty when the room has none. */
export function levelsOf(state: RoomStateView): Content {
  return state.get("m.room.power_levels", "")?.content ?? NO_LEVELS;
}

/** Inherited members of an object are never numbers, so a type or key such as `constructor` finds nothing here. */
function numberAt(map: unknown, key: string): number | undefined {
  return isObject(map) ? levelOf(map[key]) : undefined;
}

/**
 * A power level as a number, or undefined for what is none. Up to room version 9 it may be a text; the rules let none into a
 * room of a later version, so nobody has to ask for the version here. Specification: room version 1, "m.room.power_levels events
 * accept values as strings".
 */
export function levelOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^\s*[+-]?\d{1,16}\s*$/.test(value)) return undefined;
  const level = Number(value);
  return Number.isSafeInteger(level) ? level : undefined;
}

/** Whether the user is a creator whose power is infinite. False for everyone in a room of version 11. */
export function isPrivilegedCreator(create: RoomEvent, userId: string): boolean {
  if (versionOf(create)?.privilegedCreators !== true) return false;
  if (create.sender === userId) return true;
  const others = create.content.additional_creators;
  return Array.isArray(others) && others.includes(userId);
}

/** The creators of a room: who sent the create event, and in version 12 its `additional_creators`, each once. */
export function creatorsOf(create: RoomEvent): string[] {
  const others = create.content.additional_creators;
  if (versionOf(create)?.privilegedCreators !== true || !Array.isArray(others)) return [create.sender];
  return [...new Set([create.sender, ...(others as string[])])];
}

/** The power of a user, member or not. */
export function powerOf(state: RoomStateView, userId: string): number {
  const create = state.get("m.room.create", "");
  if (create !== undefined && isPrivilegedCreator(create, userId)) return Infinity;
  const levels = state.get("m.room.power_levels", "")?.content;
  if (levels === undefined) return create?.sender === userId ? DEFAULTS.creator : DEFAULTS.users;
  return numberAt(levels.users, userId) ?? numberAt(levels, "users_default") ?? DEFAULTS.users;
}

/** The power that it takes to send an event of this type: what the specification calls its *required power level*. */
export function requiredPower(state: RoomStateView, eventType: string, isState: boolean): number {
  const levels = levelsOf(state);
  const listed = numberAt(levels.events, eventType);
  if (listed !== undefined) return listed;
  if (isState) return numberAt(levels, "state_default") ?? DEFAULTS.state;
  return numberAt(levels, "events_default") ?? DEFAULTS.events;
}

/** The power that it takes to invite, kick or ban a user, or to redact another user's event. */
export function requiredFor(state: RoomStateView, action: Action): number {
  return numberAt(levelsOf(state), action) ?? ACTIONS[action];
}

/** The power that it takes to trigger a kind of notification; `room` is the one for `@room`. */
export function notificationLevel(state: RoomStateView, key: string): number {
  return numberAt(levelsOf(state).notifications, key) ?? DEFAULTS.notifications;
}
