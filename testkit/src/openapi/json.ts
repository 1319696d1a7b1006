// JSON values, and JSON Pointers (RFC 6901) into them.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** The value that a JSON Pointer (RFC 6901) names; an error where it names nothing. */
export function atPointer(root: Json, pointer: string): Json {
  const found = valueAt(root, pointer);
  if (found === undefined) throw new Error(`The specification has nothing at ${pointer}`);
  return found as Json;
}

/** As `atPointer`, for any value, and undefined where there is nothing. */
export function valueAt(root: unknown, pointer: string): unknown {
  const keys = pointer.split("/").slice(1);
  return keys.reduce<unknown>((at, part) => {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    return typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }, root);
}

/** A key as one part of a JSON Pointer. */
export function pointerPart(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** True for a JSON object, false for arrays, null and the rest. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
