/**
 * What an event must keep to before anyone looks at its meaning: values that canonical JSON can hold, and sizes.
 * Specification: appendices, "Canonical JSON"; client-server-api, "Size limits".
 */
import { isObject } from "./event.ts";
import { identifier_bytes, isLongerThan, isUserId } from "./identifiers.ts";
import type { Fault } from "./verdict.ts";

/** A complete event in canonical JSON, in UTF-8. */
export const event_bytes = 65_536;

/**
 * How deep arrays and objects may be nested in a content. The specification has no such limit, but parsers have: common
 * ones of clients stop at 128 levels, and an event that clients can not read must not get into a room.
 */
export const nesting_levels = 100;

/** An event as it is before the server has given it an id, or after. */
export interface EventShape {
  readonly type: unknown;
  readonly sender: unknown;
  readonly state_key?: unknown;
  readonly content: unknown;
}

/** What keeps a JSON value from being canonical JSON, as a sentence; undefined when nothing does. */
export function valueFault(value: unknown): string | undefined {
  return faultAt(value, 0);
}

function faultAt(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return textFault(value);
  if (typeof value === "number") return numberFault(value);
  if (typeof value === "boolean" || value === null) return undefined;
  if (typeof value !== "object") return `A ${typeof value} is not a JSON value.`;
  if (depth === nesting_levels) return `The content is nested deeper than ${nesting_levels} levels.`;
  return Array.isArray(value) ? arrayFault(value, depth) : objectFault(value, depth);
}

function textFault(text: string): string | undefined {
  return text.isWellFormed() ? undefined : "A text holds half of a surrogate pair, which UTF-8 can not hold.";
}

/** Fractions and exponents of a number that is an integer are lost in parsing, so `1.0` passes for the `1` that it is. */
function numberFault(value: number): string | undefined {
  if (!Number.isSafeInteger(value)) return `The number ${value} is not an integer between -(2^53)+1 and (2^53)-1.`;
  return Object.is(value, -0) ? "Zero has no sign in canonical JSON." : undefined;
}

function arrayFault(items: readonly unknown[], depth: number): string | undefined {
  for (const item of items) {
    const fault = faultAt(item, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function objectFault(value: object, depth: number): string | undefined {
  for (const [key, member] of Object.entries(value)) {
    const fault = textFault(key) ?? faultAt(member, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** What is wrong with the keys of an event and with the values in its content, or undefined. It measures no bytes of content. */
export function formatFault(event: EventShape): Fault | undefined {
  const { type, sender, state_key, content } = event;
  if (typeof type !== "string" || type === "")
    return badJson("An event has a type, which is a text that is not empty.");
  if (state_key !== undefined && typeof state_key !== "string") return badJson("A state_key is a text.");
  if (!isUserId(sender)) return badJson("The sender of an event is a user id.");
  const name = nameFault("type", type) ?? nameFault("state_key", state_key ?? "");
  if (name !== undefined) return name;
  if (!isObject(content)) return badJson("The content of an event is an object.");
  const fault = valueFault(content);
  return fault === undefined ? undefined : badJson(fault);
}

/** NUL is refused beyond the specification: the columns that hold types and state keys are texts of PostgreSQL. */
function nameFault(name: string, value: string): Fault | undefined {
  if (isLongerThan(value, identifier_bytes)) {
    return { errcode: "M_TOO_LARGE", reason: `The ${name} is longer than ${identifier_bytes} bytes.` };
  }
  if (value.isWellFormed() && !value.includes("\0")) return undefined;
  return badJson(`The ${name} holds a character that is not allowed there.`);
}

/** Whether an encoded event is too large. `encoded_bytes` is the length of its JSON without white space, in UTF-8. */
export function sizeFault(encoded_bytes: number): Fault | undefined {
  if (encoded_bytes <= event_bytes) return undefined;
  return { errcode: "M_TOO_LARGE", reason: `The event is larger than ${event_bytes} bytes.` };
}

/** `formatFault`, and `sizeFault` of the event as it is: for the places that do not encode the event anyway. */
export function eventFault(event: EventShape): Fault | undefined {
  return formatFault(event) ?? sizeFault(Buffer.byteLength(JSON.stringify(event)));
}

function badJson(reason: string): Fault {
  return { errcode: "M_BAD_JSON", reason };
}
