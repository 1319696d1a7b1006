// Values that suit a schema, and the same with a part of them swapped for something of another type.

import { isObject, type Json, type JsonObject } from "../openapi/json.ts";
import type { Resolve, Schema } from "./schemas.ts";

/** A number from 0 up to 1. */
export type Random = () => number;

const deepest = 6;

export type Making = {
  random: Random;
  resolve: Resolve;
  /** A text that means something where the schema is for this: a user id for `mx-user-id`, or for a member `room_id`. */
  known(hint: string): string | undefined;
};

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** What has broken servers before: other types, ends of ranges, texts that databases and JSON do not like. */
const strange: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 0.5,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER + 2,
  () => -Number.MAX_SAFE_INTEGER,
  () => "",
  () => "\0",
  () => "a\0b",
  () => "\ud800",
  () => "😀".repeat(80),
  () => "__proto__",
  () => "constructor",
  () => "../../../etc/passwd",
  () => "' or 1=1 --",
  () => "%00%ff%zz",
  () => "!:",
  () => "@:",
  () => "$",
  () => "s1_1",
  () => "s9999999999_999999999999999",
  () => "9".repeat(40),
  () => "x".repeat(300),
  () => [],
  () => [[]],
  () => [null],
  () => ({}),
  () => JSON.parse('{"__proto__":{"a":1},"constructor":1}') as unknown,
  () => ({ "": "" }),
  (random) => nested(Math.floor(random() * 120)),
  (random) => (random() < 0.05 ? "x".repeat(80_000) : "y".repeat(1_000)),
  (random) => Array.from({ length: random() < 0.05 ? 2_000 : 20 }, () => "@a:b"),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

export function strangeValue(random: Random): unknown {
  return pick(random, strange)(random);
}

/** Where in a value: the name of the member, and how deep. */
type Place = { hint: string; depth: number };

/** A value that the schema allows, mostly. */
export function sample(making: Making, schema: Schema, { hint, depth }: Place = { hint: "", depth: 0 }): unknown {
  const { random } = making;
  const { file, value } = making.resolve(schema);
  if (!isObject(value) || depth > deepest) return pick(random, ["text", 1, true, {}]);
  const inner = (part: Json, name = hint) => sample(making, { file, value: part }, { hint: name, depth: depth + 1 });
  if (Array.isArray(value["enum"])) return pick(random, value["enum"]);
  if (value["const"] !== undefined) return value["const"];
  const choices = value["oneOf"] ?? value["anyOf"];
  if (Array.isArray(choices)) return inner(pick(random, choices));
  if (Array.isArray(value["allOf"])) {
    const parts = value["allOf"].map((part) => inner(part));
    const own = inner({ ...value, allOf: false });
    return Object.assign({}, ...[...parts, own].filter((part) => isObject(part)));
  }
  const type = Array.isArray(value["type"]) ? pick(random, value["type"]) : value["type"];
  if (type === "object" || isObject(value["properties"])) return sampleObject(making, value, inner);
  if (type === "array")
    return Array.from({ length: Math.floor(random() * 3) }, () => inner((value["items"] ?? {}) as Json));
  if (type === "integer" || type === "number") return Math.floor(random() * 100);
  if (type === "boolean") return random() < 0.5;
  if (type === "null") return null;
  const format = typeof value["format"] === "string" ? value["format"] : "";
  return making.known(format) ?? making.known(hint) ?? pick(random, ["text", "m.room.message", "1", "public"]);
}

function sampleObject(making: Making, schema: JsonObject, inner: (part: Json, name?: string) => unknown): unknown {
  const { random } = making;
  const {
    properties = {},
    required = [],
    additionalProperties: more,
  } = schema as {
    properties?: JsonObject;
    required?: string[];
    additionalProperties?: Json;
  };
  const made: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(properties))
    if (required.includes(name) || random() < 0.5) made[name] = inner(part, name);
  if (isObject(more) && random() < 0.7) made[making.known("") ?? "key"] = inner(more);
  return made;
}

/** The value with some of its parts swapped. */
export function swapped(random: Random, value: unknown): unknown {
  if (random() < 0.04) return strangeValue(random);
  let made = value;
  const times = 1 + Math.floor(random() * 3);
  for (let i = 0; i < times; i++) made = swapOne(random, made);
  return made;
}

function swapOne(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return strangeValue(random);
  const keys = Object.keys(value);
  if (keys.length === 0) return random() < 0.5 ? { [String(strangeValue(random))]: strangeValue(random) } : value;
  const key = pick(random, keys);
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  if (random() < 0.1 && !Array.isArray(value)) delete copy[key];
  else copy[key] = random() < 0.5 ? swapOne(random, copy[key]) : strangeValue(random);
  return copy;
}
