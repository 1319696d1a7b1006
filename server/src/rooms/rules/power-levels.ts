/** Rule 10: what a new `m.room.power_levels` event may change. Rule numbers are those of room version 12. */
import { isInteger, isObject } from "./event.ts";
import type { Content, ProposedEvent, RoomEvent, RoomStateView } from "./event.ts";
import { isUserId } from "./identifiers.ts";
import { creatorsOf, levelOf, powerOf } from "./power.ts";
import { ALLOWED, refuse } from "./verdict.ts";
import type { Refusal, Verdict } from "./verdict.ts";
import { versionOf } from "./versions.ts";

const SCALARS = ["users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"] as const;
const EVENT_MAPS = ["events", "notifications"] as const;
/** The maps that are guarded up to room version 5. */
const OLD_MAPS = ["events"] as const;
const NO_ENTRIES: Content = Object.freeze({});

/** What is wrong with the shape of a power level content (rules 10.1 to 10.3), or undefined. */
export function levelsShape(content: Content, { acceptsTexts }: { acceptsTexts: boolean }): Refusal | undefined {
  const isLevel = acceptsTexts ? isLevelOrText : isInteger;
  const isMapOfLevels = (value: unknown): value is Content => isObject(value) && Object.values(value).every(isLevel);
  for (const name of SCALARS) {
    if (Object.hasOwn(content, name) && !isLevel(content[name])) {
      return refuse("10.1", `The power level ${name} is not an integer.`, "M_BAD_JSON");
    }
  }
  for (const name of EVENT_MAPS) {
    if (Object.hasOwn(content, name) && !isMapOfLevels(content[name])) {
      return refuse("10.2", `The power levels ${name} are not an object with integers.`, "M_BAD_JSON");
    }
  }
  if (!Object.hasOwn(content, "users")) return undefined;
  if (isMapOfLevels(content.users) && Object.keys(content.users).every(isUserId)) return undefined;
  return refuse("10.3", "The power levels users are not an object with an integer for each user id.", "M_BAD_JSON");
}

/** Level and text of the older versions; a number that is no integer is neither. */
function isLevelOrText(value: unknown): boolean {
  return isInteger(value) || (typeof value === "string" && levelOf(value) !== undefined);
}

export interface LevelsRequest {
  readonly state: RoomStateView;
  readonly create: RoomEvent;
  readonly event: ProposedEvent;
}

/**
 * Whether the power level event may enter the room. Its sender can neither touch what stands above them nor lift
 * anything or anyone above themselves, and can not take power from an equal.
 */
export function authorisePowerLevels({ state, create, event }: LevelsRequest): Verdict {
  const version = versionOf(create);
  const acceptsTexts = version?.hasLevelsAsTexts === true;
  const malformed = levelsShape(event.content, { acceptsTexts }) ?? namesCreator(create, event.content);
  if (malformed !== undefined) return malformed;
  const previous = state.get("m.room.power_levels", "");
  if (previous === undefined) return ALLOWED;
  const maps = version?.guardsNotifications === false ? OLD_MAPS : EVENT_MAPS;
  const change = { before: previous.content, after: event.content, sender: event.sender, maps };
  return checkChange({ ...change, power: powerOf(state, event.sender) }) ?? ALLOWED;
}

/** Rule 10.4: the power of a creator is infinite in version 12, so no number may be given for one. */
function namesCreator(create: RoomEvent, content: Content): Refusal | undefined {
  const { users } = content;
  if (!isObject(users) || versionOf(create)?.privilegedCreators !== true) return undefined;
  const named = creatorsOf(create).find((userId) => Object.hasOwn(users, userId));
  if (named === undefined) return undefined;
  return refuse("10.4", `${named} is a creator of this room and can not be given a power level.`, "M_BAD_JSON");
}

interface LevelsChange {
  readonly before: Content;
  readonly after: Content;
  /** The maps whose entries are guarded. */
  readonly maps: readonly (typeof EVENT_MAPS)[number][];
  readonly sender: string;
  /** The power of the sender before the event. */
  readonly power: number;
}

function checkChange(change: LevelsChange): Refusal | undefined {
  return checkScalars(change) ?? checkEventMaps(change) ?? checkUsers(change);
}

/** Rule 10.6. A property that is added or removed counts as changed, whatever its default is. */
function checkScalars({ before, after, power }: LevelsChange): Refusal | undefined {
  for (const name of SCALARS) {
    if (before[name] === after[name]) continue;
    if (isAbove(before[name], power)) return refuse("10.6.1", `You do not have the power to change ${name}.`);
    if (isAbove(after[name], power)) return refuse("10.6.2", `You can not set ${name} above your own power.`);
  }
  return undefined;
}

/** Rules 10.7 and 10.8. */
function checkEventMaps({ before, after, maps, power }: LevelsChange): Refusal | undefined {
  for (const name of maps) {
    for (const { key, current, next } of changes(before[name], after[name])) {
      if (isAbove(current, power)) return refuse("10.7.1", `You do not have the power to change ${name} for ${key}.`);
      if (isAbove(next, power)) return refuse("10.8.1", `You can not set ${name} for ${key} above your own power.`);
    }
  }
  return undefined;
}

/** Rules 10.9 and 10.10. Anyone may step down, and so may an administrator; but not push an equal down. */
function checkUsers({ before, after, sender, power }: LevelsChange): Refusal | undefined {
  for (const { key, current, next } of changes(before.users, after.users)) {
    if (key !== sender && current !== undefined && current >= power) {
      return refuse("10.9.1", `You do not have the power to change the power of ${key}.`);
    }
    if (isAbove(next, power)) return refuse("10.10.1", `You can not give ${key} more power than you have.`);
  }
  return undefined;
}

interface EntryChange {
  readonly key: string;
  readonly current: number | undefined;
  readonly next: number | undefined;
}

/** The entries that were added, changed or removed between two maps of integers; an absent map is an empty one. */
function changes(before: unknown, after: unknown): EntryChange[] {
  const [old, fresh] = [asEntries(before), asEntries(after)];
  const keys = new Set([...Object.keys(old), ...Object.keys(fresh)]);
  return [...keys]
    .map((key) => ({ key, current: levelAt(old, key), next: levelAt(fresh, key) }))
    .filter(({ current, next }) => current !== next);
}

function asEntries(value: unknown): Content {
  return isObject(value) ? value : NO_ENTRIES;
}

/** Own members only: a key such as `__proto__` must not find what objects inherit. */
function levelAt(map: Content, key: string): number | undefined {
  return Object.hasOwn(map, key) ? levelOf(map[key]) : undefined;
}

function isAbove(level: unknown, power: number): boolean {
  return (levelOf(level) ?? -Infinity) > power;
}
