/** Shapes that several requests of this domain share. */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { valueFault } from "../rooms/rules/canonical.ts";

/** A name that a column of PostgreSQL can hold: a device id, an algorithm, a room, a session. */
export const name = z
  .string()
  .min(1)
  .max(limits.identifier_bytes)
  .refine((text) => text.isWellFormed() && !text.includes("\0"), "it has a character that names do not have");

export const userId = name.startsWith("@", "a user id begins with @");

/** `<algorithm>:<id>`. */
const keyName = name.regex(/^[^\s:]+:\S+$/, "it is not of the form <algorithm>:<id>");

/** By signer, then by the key that they signed with. */
const signatures = z.record(userId, z.record(keyName, z.string()));

/** Specification: "Device keys". What the server does not know of is kept, as it is signed too. */
export const deviceKeys = z.looseObject({
  user_id: userId,
  device_id: name,
  algorithms: z.array(z.string()),
  keys: z.record(keyName, z.string()),
  signatures,
});
export type DeviceKeys = z.output<typeof deviceKeys>;

/** One-time and fallback keys, by their names. An unsigned key is a text. */
export const preKeys = z.record(keyName, z.union([z.string(), z.looseObject({ key: z.string(), signatures })]));
export type PreKeys = z.output<typeof preKeys>;

const USAGES = ["master", "self_signing", "user_signing"] as const;
export type Usage = (typeof USAGES)[number];

/** Specification: "Cross-signing", the object CrossSigningKey. */
export const crossSigningKey = z.looseObject({
  user_id: userId,
  usage: z.array(z.string()),
  keys: z.record(keyName, z.string()).refine((keys) => Object.keys(keys).length === 1, "it must have exactly one key"),
  signatures: signatures.optional(),
});
export type CrossSigningKey = z.output<typeof crossSigningKey>;

/**
 * An object as it is stored: JSON whose members are in one order, so that equal objects are equal texts. Throws M_BAD_JSON
 * where canonical JSON could not hold it, and M_TOO_LARGE. `what` names it in the error.
 */
export function storedText(value: unknown, what: string): string {
  const fault = valueFault(value);
  if (fault !== undefined) throw matrixError("M_BAD_JSON", `${what}: ${fault}`);
  const text = JSON.stringify(value, (_key, member: unknown) => ordered(member));
  if (Buffer.byteLength(text) > limits.keyObject_bytes)
    throw matrixError("M_TOO_LARGE", `${what} is larger than ${limits.keyObject_bytes} bytes.`);
  return text;
}

function ordered(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The object without what others add to it, as text: what a signature covers. */
export function signedText(object: object, what: string): string {
  return storedText(without(object, "signatures", "unsigned"), what);
}

/** A copy of the object that lacks these members. */
export function without(object: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** The algorithm and the id in the name of a key. */
export function splitKeyName(keyName: string): { algorithm: string; keyId: string } {
  const colon = keyName.indexOf(":");
  return { algorithm: keyName.slice(0, colon), keyId: keyName.slice(colon + 1) };
}
