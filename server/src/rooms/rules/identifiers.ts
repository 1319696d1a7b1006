/**
 * The grammar of identifiers. Specification: appendices, "Identifier Grammar". Each function takes any value, so that it
 * can stand at the edge, and answers for the whole text: no identifier is ever found inside of another one.
 */

/** No identifier may be longer, with its sigil and its server name, in UTF-8. */
export const identifier_bytes = 255;

const SERVER_NAME = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::[0-9]{1,5})?$/;
const STRICT_LOCALPART = /^[a-z0-9._=/+-]+$/;
const OPAQUE_43 = /^[A-Za-z0-9_-]{43}$/;

/** Whether a text takes more than `limit_bytes` in UTF-8. Short texts are not measured: a UTF-16 unit takes 3 bytes at most. */
export function isLongerThan(text: string, limit_bytes: number): boolean {
  return text.length * 3 > limit_bytes && Buffer.byteLength(text) > limit_bytes;
}

/** Whether the value is a server name: a DNS name or an IP address, and perhaps a port. */
export function isServerName(value: unknown): value is string {
  return typeof value === "string" && SERVER_NAME.test(value);
}

/** The server name in a user id, a room alias or a room id: all after the first colon. Undefined where there is none. */
export function serverNameOf(id: string): string | undefined {
  const colon = id.indexOf(":");
  return colon === -1 ? undefined : id.slice(colon + 1);
}

/** The text between the sigil and the first colon, or to the end where there is no colon. */
export function localpartOf(id: string): string {
  const colon = id.indexOf(":");
  return colon === -1 ? id.slice(1) : id.slice(1, colon);
}

/** Sigil, any localpart without NUL and lone surrogates, colon, server name. */
function isQualified(value: unknown, sigil: string): value is string {
  if (typeof value !== "string" || !value.startsWith(sigil)) return false;
  if (isLongerThan(value, identifier_bytes) || value.includes("\0") || !value.isWellFormed()) return false;
  return isServerName(serverNameOf(value));
}

/**
 * Whether the value is a user id, the historical ones included: their localpart may hold any character but a colon and
 * NUL, and may be empty. Specification: appendices, "Historical User IDs".
 */
export function isUserId(value: unknown): value is string {
  return isQualified(value, "@");
}

/** Whether the value is a user id that a server may give out today. */
export function isNewUserId(value: unknown): value is string {
  return isUserId(value) && STRICT_LOCALPART.test(localpartOf(value));
}

/** Whether the value is a room alias. */
export function isRoomAlias(value: unknown): value is string {
  return isQualified(value, "#") && localpartOf(value) !== "";
}

/** Whether the value is a room id: with a server name up to version 11, 43 url-safe characters from version 12 on. */
export function isRoomId(value: unknown): value is string {
  if (typeof value !== "string" || !value.startsWith("!")) return false;
  return OPAQUE_43.test(value.slice(1)) || isQualified(value, "!");
}

/** Whether the value is an event id. It is opaque: `$` and at least one character, as old versions had other forms. */
export function isEventId(value: unknown): value is string {
  if (typeof value !== "string" || value.length < 2 || !value.startsWith("$")) return false;
  return !isLongerThan(value, identifier_bytes) && !value.includes("\0") && value.isWellFormed();
}
