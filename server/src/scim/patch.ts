/**
 * Changes of a person, operation by operation. RFC 7644, section 3.5.2, and what directories send beside it: "Replace" for "replace",
 * values without a path that have paths for names, and attributes of which nothing is kept here, which change nothing.
 */
import { z } from "zod";
import { limits } from "../limits.ts";
import { isObject } from "../rooms/rules/event.ts";
import { refused } from "./answer.ts";
import { attributes, type Draft, emailParts, nameParts, pick } from "./described.ts";

const body = z.looseObject({
  Operations: z
    .array(
      z.looseObject({
        op: z
          .string()
          .transform((op) => op.toLowerCase())
          .pipe(z.enum(["add", "replace", "remove"])),
        path: z.string().max(limits.scimText_characters).nullish(),
        value: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(limits.scim_operations),
});

type Op = "add" | "replace" | "remove";

/** The operations of a body. Throws invalidSyntax. */
export function readOperations(sent: unknown): Operation[] {
  const result = body.safeParse(sent);
  if (!result.success)
    throw refused(
      400,
      "invalidSyntax",
      `A PATCH has "Operations", 1 to ${limits.scim_operations}, each with "op": add, replace or remove.`,
    );
  return result.data.Operations.map(({ op, path, value }) => ({ op, path: path ?? undefined, value }));
}

/** What the directory wants of the person, who is `draft` by now. Throws invalidPath, invalidValue and mutability. */
export function patched(draft: Draft, operations: readonly Operation[]): Draft {
  let now = draft;
  for (const each of operations) now = applied(now, each);
  return now;
}

export interface Operation {
  op: Op;
  path: string | undefined;
  value: unknown;
}

function applied(draft: Draft, { op, path, value }: Operation): Draft {
  if (path !== undefined) return changed(draft, { op, at: placeOf(path), value });
  if (op === "remove") throw refused(400, "invalidPath", 'A "remove" has a "path" that says what of it.');
  if (!isObject(value)) throw refused(400, "invalidValue", 'An operation without "path" has an object as its "value".');
  let now = draft;
  // Okta repeats the id here; what can not be changed stays, since nobody asked for it by name.
  for (const [name, member] of Object.entries(value)) {
    const at = placeOf(name);
    if (!READ_ONLY.has(at.attribute)) now = changed(now, { op, at, value: member });
  }
  return now;
}

interface Place {
  /** In small letters. */
  attribute: string;
  /** In brackets: which of many. */
  filter: { part: string; value: unknown } | undefined;
  sub: string | undefined;
}

const PATH = /^([A-Za-z$][\w$-]*)(?:\[\s*(\w+)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)\s*\])?(?:\.([\w$-]+))?$/i;
const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:User:/i;
const READ_ONLY = new Set(["id", "meta", "schemas", "groups"]);
/** Of another schema nothing is kept. */
const FOREIGN: Place = { attribute: "", filter: undefined, sub: undefined };

function placeOf(path: string): Place {
  const own = path.trim().replace(CORE, "");
  if (/^urn:/i.test(own)) return FOREIGN;
  const [isOne, attribute = "", part, json, sub] = PATH.exec(own) ?? [];
  if (isOne === undefined) {
    // A filter that is not understood matters where there is something to find by it.
    if (attributes.has((/^\w+/.exec(own)?.[0] ?? "").toLowerCase()) || own === "")
      throw refused(400, "invalidPath", `The path "${own.slice(0, 80)}" is not understood.`);
    return FOREIGN;
  }
  const filter = part === undefined ? undefined : { part: part.toLowerCase(), value: valueOf(json as string) };
  return { attribute: attribute.toLowerCase(), filter, sub };
}

function valueOf(json: string): unknown {
  try {
    return JSON.parse(json.startsWith('"') ? json : json.toLowerCase());
  } catch {
    throw refused(400, "invalidPath", "A text in the filter of a path is not written as in JSON.");
  }
}

interface Change {
  op: Op;
  at: Place;
  value: unknown;
}

function changed(draft: Draft, { op, at, value }: Change): Draft {
  const name = attributes.get(at.attribute);
  if (READ_ONLY.has(at.attribute)) throw refused(400, "mutability", `"${at.attribute}" can not be changed.`);
  if (name === undefined) return draft;
  if (op !== "remove" && value === undefined)
    throw refused(400, "invalidValue", `The operation has no "value" for "${name}".`);
  if (op === "remove" && (name === "userName" || name === "active"))
    throw refused(400, "mutability", `"${name}" can be changed, and not taken away.`);
  if (name === "emails") return { ...draft, emails: emailsAfter(listOf(draft["emails"]), { op, at, value }) };
  if (name === "name") return { ...draft, name: nameAfter(draft["name"], { op, at, value }) };
  return { ...draft, [name]: op === "remove" ? undefined : value };
}

function nameAfter(before: unknown, { op, at: { sub }, value }: Change): unknown {
  if (sub === undefined) return op === "remove" ? undefined : { ...pick(before, nameParts), ...pick(value, nameParts) };
  return { ...pick(before, nameParts), ...pick({ [sub]: op === "remove" ? null : value }, nameParts) };
}

function listOf(value: unknown): Draft[] {
  const all = value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
  return all.map((each) => (typeof each === "string" ? { value: each } : pick(each, emailParts)));
}

function emailsAfter(before: readonly Draft[], { op, at: { filter, sub }, value }: Change): Draft[] {
  if (!filter && sub === undefined) {
    // Some name beside the path which ones, as they do for members of groups.
    const named = op === "remove" ? listOf(value) : [];
    if (op === "remove")
      return named.length === 0 ? [] : before.filter((email) => !named.some((each) => isSame(each, email)));
    return op === "replace" ? listOf(value) : joined(before, listOf(value));
  }
  const isMeant = (email: Draft) => !filter || same(email[emailParts.get(filter.part) ?? ""], filter.value);
  if (op === "remove" && sub === undefined) return before.filter((email) => !isMeant(email));
  const part = sub === undefined ? undefined : pick({ [sub]: op === "remove" ? null : value }, emailParts);
  const given = part ?? listOf(value)[0] ?? {};
  if (before.some(isMeant)) return before.map((email) => (isMeant(email) ? { ...email, ...given } : email));
  if (op === "remove") return [...before];
  return [...before, { ...(filter ? pick({ [filter.part]: filter.value }, emailParts) : {}), ...given }];
}

/** More addresses; the same one again there is once, and the first one is one at the most. RFC 7643, section 2.4. */
function joined(before: readonly Draft[], added: readonly Draft[]): Draft[] {
  const isAgain = (email: Draft) => added.some((each) => isSame(each, email));
  const isFirstNew = added.some(({ primary }) => isTrue(primary));
  const stays = before.filter((email) => !isAgain(email));
  const second = (email: Draft) => (isTrue(email["primary"]) ? { ...email, primary: false } : email);
  return [...(isFirstNew ? stays.map(second) : stays), ...added];
}

function isSame(one: Draft, other: Draft): boolean {
  return same(one["value"], other["value"]);
}

function isTrue(value: unknown): boolean {
  return value === true || same(value, "true");
}

function same(one: unknown, other: unknown): boolean {
  return typeof one === "string" && typeof other === "string"
    ? one.toLowerCase() === other.toLowerCase()
    : one !== undefined && one === other;
}
