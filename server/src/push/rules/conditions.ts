// The conditions of push rules, each made into a function once, so that an evaluation parses no path and no pattern.
// Specification: client-server-api, push module, "Conditions".

import { ownUserId } from "./defaults.ts";
import { foldedString, isScalar, itemsOf, type PropertyPath, type PushEvent } from "./event.ts";
import { containsWords, globForWhole, globForWords } from "./glob.ts";
import { parsePropertyPath, readProperty } from "./property-path.ts";
import type { Condition } from "./ruleset.ts";

/** Says whether an event meets a condition for the user whose rule it is. */
export type CompiledCondition = (event: PushEvent, userId: string) => boolean;

const never: CompiledCondition = () => false;
const bodyPath = pathOf("content.body");
const defaultNotificationLevel = 50;

/**
 * Makes a condition into a function. One of an unknown kind, or with fields that do not fit its kind, never matches.
 * Where `ownUserId` stands in a predefined rule it means the user; in a user's own rule it means nothing.
 */
export function compileCondition(condition: Condition, isPredefined: boolean): CompiledCondition {
  switch (condition.kind) {
    case "event_match":
      if (isPredefined && condition.pattern === ownUserId) return isUserId(condition.key);
      return eventMatch(condition.key, condition.pattern);
    case "event_property_is":
      return propertyIs(condition);
    case "event_property_contains":
      if (isPredefined && condition.value === ownUserId) return containsUserId(condition.key);
      return propertyContains(condition);
    case "contains_display_name":
      return containsDisplayName;
    case "room_member_count":
      return memberCount(condition.is);
    case "sender_notification_permission":
      return senderMayNotify(condition.key);
    default:
      return never;
  }
}

/** The condition that a content rule stands for: its pattern in the words of `content.body`. */
export function compilePattern(pattern: string | undefined): CompiledCondition {
  return eventMatch("content.body", pattern);
}

/** The type that a condition demands, lower-cased, or undefined where it demands none or more than one. */
export function typeDemandedBy(condition: Condition): string | undefined {
  const isOneType =
    condition.kind === "event_match" && condition.key === "type" && !/[*?]/.test(condition.pattern ?? "*");
  return isOneType ? condition.pattern?.toLowerCase() : undefined;
}

function eventMatch(key: string | undefined, pattern: string | undefined): CompiledCondition {
  if (key === undefined || pattern === undefined) return never;
  const path = pathOf(key);
  const inWords = path.names.length === 2 && path.names[0] === "content" && path.names[1] === "body";
  const matches = inWords ? globForWords(pattern) : globForWhole(pattern);
  return (event) => {
    const value = foldedString(event, path);
    return value !== undefined && matches(value);
  };
}

function isUserId(key: string | undefined): CompiledCondition {
  const path = pathOf(key ?? "");
  return (event, userId) => readProperty(event.raw, path.names) === userId;
}

function propertyIs({ key, value }: Condition): CompiledCondition {
  if (key === undefined || !isScalar(value)) return never;
  const path = pathOf(key);
  return (event) => readProperty(event.raw, path.names) === value;
}

function propertyContains({ key, value }: Condition): CompiledCondition {
  if (key === undefined || !isScalar(value)) return never;
  const path = pathOf(key);
  return (event) => itemsOf(event, path)?.has(value) === true;
}

function containsUserId(key: string | undefined): CompiledCondition {
  const path = pathOf(key ?? "");
  return (event, userId) => itemsOf(event, path)?.has(userId) === true;
}

const containsDisplayName: CompiledCondition = (event, userId) => {
  const body = foldedString(event, bodyPath);
  const name = body === undefined ? undefined : event.room.displayNameOf(userId);
  return body !== undefined && name !== undefined && containsWords(body, name);
};

function memberCount(is: string | undefined): CompiledCondition {
  const [, comparison = "", digits = ""] = /^(==|<=|>=|<|>)?(\d+)$/.exec(is ?? "") ?? [];
  if (digits === "") return never;
  const count = Number(digits);
  switch (comparison) {
    case "<":
      return ({ room }) => room.memberCount < count;
    case ">":
      return ({ room }) => room.memberCount > count;
    case "<=":
      return ({ room }) => room.memberCount <= count;
    case ">=":
      return ({ room }) => room.memberCount >= count;
    default:
      return ({ room }) => room.memberCount === count;
  }
}

function senderMayNotify(key: string | undefined): CompiledCondition {
  if (key === undefined) return never;
  return ({ raw, room }) => {
    const levels = room.notificationLevels;
    const level = typeof levels === "object" && levels !== null ? readProperty(levels, [key]) : undefined;
    const needed = typeof level === "number" ? level : defaultNotificationLevel;
    return room.powerLevelOf(raw.sender) >= needed;
  };
}

function pathOf(text: string): PropertyPath {
  return { text, names: parsePropertyPath(text) };
}
