/** What a directory says of a person: read from its bodies, and written into answers. RFC 7643, section 4.1. */
import { z } from "zod";
import { foldAddress } from "../auth/email/address.ts";
import { limits } from "../limits.ts";
import { isObject } from "../rooms/rules/event.ts";
import { refused } from "./answer.ts";

const text = z.string().max(limits.scimText_characters);
const optionalText = text.nullish().transform((given) => given ?? undefined);
/** Entra ID sends "True" and "False". */
const flag = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(true|false)$/i)
    .transform((given) => given.toLowerCase() === "true"),
]);

const nameSchema = z.object({
  formatted: optionalText,
  familyName: optionalText,
  givenName: optionalText,
  middleName: optionalText,
  honorificPrefix: optionalText,
  honorificSuffix: optionalText,
});
const emailSchema = z.object({
  value: optionalText,
  type: optionalText,
  primary: flag.nullish().transform((given) => given ?? undefined),
  display: optionalText,
});

export type Name = z.output<typeof nameSchema>;
export type Email = z.output<typeof emailSchema> & { value: string };

/** Everything of a person that a directory can change; a member that is undefined is not said. */
export interface Described {
  userName: string;
  externalId: string | undefined;
  displayName: string | undefined;
  name: Name | undefined;
  emails: readonly Email[];
  active: boolean;
}

/** Names of members, by how they are compared: RFC 7643, section 2.1. */
const namesOf = (names: readonly string[]) => new Map(names.map((name) => [name.toLowerCase(), name]));
export const attributes = namesOf(["userName", "externalId", "displayName", "name", "emails", "active"]);
export const nameParts = namesOf(Object.keys(nameSchema.shape));
export const emailParts = namesOf(Object.keys(emailSchema.shape));

export type Draft = Record<string, unknown>;

/** The members that are known, under their own names; everything else that a directory sends is left. */
export function pick(value: unknown, names: ReadonlyMap<string, string>): Draft {
  if (!isObject(value)) return {};
  const known = Object.entries(value).map(([name, member]) => [names.get(name.toLowerCase()), member] as const);
  return Object.fromEntries(known.filter(([name]) => name !== undefined) as [string, unknown][]);
}

const schema = z.object({
  userName: text.trim().min(1),
  externalId: text.nullish().transform((given) => given || undefined),
  displayName: text
    .trim()
    .nullish()
    .transform((given) => given || undefined),
  name: z
    .preprocess((given) => pick(given, nameParts), nameSchema)
    .nullish()
    .transform((given) => given ?? undefined),
  emails: z
    .preprocess(listed, z.array(z.preprocess((given) => pick(given, emailParts), emailSchema)))
    .nullish()
    .transform((given) => (given ?? []).filter((email): email is Email => Boolean(email.value))),
  active: flag,
});

/** Some send one address for a list of one, or a text for an address. */
function listed(given: unknown): unknown {
  if (given === null || given === undefined) return given;
  const all: unknown[] = Array.isArray(given) ? given : [given];
  return all.map((each) => (typeof each === "string" ? { value: each } : each));
}

/** Reads what is said of a person as a whole. Throws invalidValue with a sentence that names the member. */
export function readDescribed(draft: Draft): Described {
  const result = schema.safeParse(draft);
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = issue?.path.join(".") || "the body";
    throw refused(400, "invalidValue", `"${place}" is missing or not valid: ${issue?.message ?? "unknown"}.`);
  }
  const { emails } = result.data;
  if (emails.length > limits.emailAddresses)
    throw refused(400, "invalidValue", `An account has at most ${limits.emailAddresses} e-mail addresses.`);
  if (emails.some(({ value }) => foldAddress(value) === undefined))
    throw refused(400, "invalidValue", 'One of the "emails" is no e-mail address.');
  return result.data;
}

/** The addresses that the account has by this, each once, as addresses are compared. */
export function addressesIn({ emails }: Pick<Described, "emails">): string[] {
  return [...new Set(emails.flatMap(({ value }) => foldAddress(value) ?? []))];
}

/** The name that others see; undefined where the directory says none. */
export function shownName({ displayName, name }: Pick<Described, "displayName" | "name">): string | undefined {
  const whole = [name?.givenName, name?.familyName].filter(Boolean).join(" ");
  const shown = (displayName ?? (name?.formatted?.trim() || whole.trim())) || undefined;
  return shown?.slice(0, limits.displayname_bytes / 4).toWellFormed();
}
