/**
 * What the server asks of the content of state events from its own clients, beyond authorisation: other clients must be
 * able to rely on it. Types that are not listed may hold anything. Specification: client-server-api, the schema of each type.
 */
import { isInteger, isObject } from "./event.ts";
import type { Content } from "./event.ts";
import { isEventId, isRoomAlias, isRoomId, isUserId } from "./identifiers.ts";
import { joinRules } from "./join-rules.ts";
import type { Fault } from "./verdict.ts";

export interface StateContent {
  readonly type: string;
  readonly state_key: string;
  readonly content: Content;
}

/** Answers with a sentence about what is wrong, or with a fault where the code is not `M_BAD_JSON`. */
type Check = (event: StateContent, previous: Content | undefined) => string | Fault | undefined;

const MEMBERSHIPS = ["join", "invite", "leave", "ban", "knock"];
const VISIBILITIES = ["invited", "joined", "shared", "world_readable"];

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["m.room.member", checkMember],
  ["m.room.join_rules", checkJoinRules],
  ["m.room.canonical_alias", ({ content }, previous) => checkAliases(content, previous)],
  ["m.room.history_visibility", ({ content }) => oneOf(content, "history_visibility", VISIBILITIES)],
  ["m.room.guest_access", ({ content }) => oneOf(content, "guest_access", ["can_join", "forbidden"])],
  ["m.room.name", ({ content }) => textOrNothing(content, "name")],
  ["m.room.topic", checkTopic],
  ["m.room.avatar", ({ content }) => textOrNothing(content, "url")],
  ["m.room.encryption", checkEncryption],
  ["m.room.pinned_events", ({ content }) => listOf(content, "pinned", isEventId)],
  ["m.room.server_acl", checkServerAcl],
  ["m.room.tombstone", checkTombstone],
]);

/**
 * What is wrong with the content of a state event, or undefined. `previous` is the content that the event would replace.
 * It does not ask whether the sender may send it (`authorise`), nor whether an alias points to the room (`addedAliases`).
 */
export function contentFault(event: StateContent, previous?: Content): Fault | undefined {
  const found = CHECKS.get(event.type)?.(event, previous);
  return typeof found === "string" ? { errcode: "M_BAD_JSON", reason: found } : found;
}

/**
 * A membership content as a client sent it, without the key that only the server may set. Clients copy it from the old
 * event when they change a display name, and the event would be refused for it.
 */
export function memberContentFromClient(content: Content): Content {
  const { join_authorised_via_users_server: _, ...rest } = content;
  return rest;
}

/**
 * The aliases that a canonical alias content names and the one before it did not. The caller finds out whether each
 * points to the room, and answers `M_BAD_ALIAS` if not.
 */
export function addedAliases(content: Content, previous?: Content): string[] {
  const known = new Set(previous === undefined ? [] : aliasesIn(previous));
  return [...new Set(aliasesIn(content))].filter((alias) => !known.has(alias)) as string[];
}

/** An absent, null or empty `alias` means that there is none. */
function aliasesIn({ alias, alt_aliases }: Content): unknown[] {
  const alternatives: unknown[] = Array.isArray(alt_aliases) ? alt_aliases : [];
  return alias == null || alias === "" ? alternatives : [alias, ...alternatives];
}

function checkAliases(content: Content, previous: Content | undefined): string | Fault | undefined {
  if (content.alt_aliases != null && !Array.isArray(content.alt_aliases)) return "The alt_aliases are not a list.";
  const wrong = addedAliases(content, previous).find((alias) => !isRoomAlias(alias));
  if (wrong === undefined) return undefined;
  return { errcode: "M_INVALID_PARAM", reason: `${JSON.stringify(wrong)} is not a room alias.` };
}

function checkMember({ state_key, content }: StateContent): string | undefined {
  if (!isUserId(state_key)) return "The state_key of a membership event is a user id.";
  return (
    oneOf(content, "membership", MEMBERSHIPS) ??
    textOrNothing(content, "displayname") ??
    textOrNothing(content, "avatar_url") ??
    textOrNothing(content, "reason")
  );
}

/**
 * Of the `allow` list nothing is asked: conditions of types that are not known yet are kept, and what is no condition is one
 * that nobody satisfies.
 */
function checkJoinRules({ content }: StateContent): string | undefined {
  return oneOf(content, "join_rule", joinRules);
}

function checkTopic({ content }: StateContent): string | undefined {
  const block = content["m.topic"];
  if (block === undefined) return textOrNothing(content, "topic");
  if (!isObject(block)) return "The m.topic is not an object.";
  if (block["m.text"] === undefined) return textOrNothing(content, "topic");
  return textOrNothing(content, "topic") ?? listOf(block, "m.text", isRepresentation);
}

function isRepresentation(value: unknown): boolean {
  if (!isObject(value) || typeof value.body !== "string") return false;
  return value.mimetype === undefined || typeof value.mimetype === "string";
}

function checkEncryption({ content }: StateContent): string | undefined {
  if (typeof content.algorithm !== "string" || content.algorithm === "") return "The encryption has no algorithm.";
  return positive(content, "rotation_period_ms") ?? positive(content, "rotation_period_msgs");
}

function checkServerAcl({ content }: StateContent): string | undefined {
  const isText = (value: unknown): boolean => typeof value === "string";
  for (const name of ["allow", "deny"]) {
    const fault = content[name] === undefined ? undefined : listOf(content, name, isText);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function checkTombstone({ content }: StateContent): string | undefined {
  const fault = textOrNothing(content, "body");
  if (fault !== undefined) return fault;
  return isRoomId(content.replacement_room) ? undefined : "The replacement_room of a tombstone is a room id.";
}

function oneOf(content: Content, key: string, values: readonly string[]): string | undefined {
  return values.includes(content[key] as string) ? undefined : `The ${key} is none of ${values.join(", ")}.`;
}

function textOrNothing(content: Content, key: string): string | undefined {
  return content[key] == null || typeof content[key] === "string" ? undefined : `The ${key} is not a text.`;
}

function positive(content: Content, key: string): string | undefined {
  const value = content[key];
  if (value === undefined || (isInteger(value) && value > 0)) return undefined;
  return `The ${key} is not a positive integer.`;
}

function listOf(content: Content, key: string, accepts: (item: unknown) => boolean): string | undefined {
  const value = content[key];
  if (!Array.isArray(value)) return `The ${key} is not a list.`;
  return value.every(accepts) ? undefined : `The ${key} holds something that does not belong there.`;
}
