/**
 * Guests: accounts that somebody gets without a password, to look around and to speak in rooms that let guests in. What is not named
 * here, no guest may do. Specification: client-server-api, "Guest access".
 */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";

const V1 = "/_matrix/client/v1";
const V3 = "/_matrix/client/v3";
const ROOM = `${V3}/rooms/:roomId`;

/** The specification's list, by the patterns of routes; and joining by an alias, sending without a transaction id, and signing out. */
const ALLOWED: ReadonlySet<string> = new Set([
  `GET ${ROOM}/state`,
  `GET ${ROOM}/state/:eventType`,
  `GET ${ROOM}/state/:eventType/:stateKey`,
  `GET ${ROOM}/context/:eventId`,
  `GET ${ROOM}/event/:eventId`,
  `GET ${ROOM}/messages`,
  `GET ${ROOM}/members`,
  `GET ${ROOM}/initialSync`,
  `GET ${V3}/sync`,
  `GET ${V3}/events`,
  `GET ${V1}/media/download/:serverName/:mediaId`,
  `GET ${V1}/media/download/:serverName/:mediaId/:fileName`,
  `GET ${V1}/media/thumbnail/:serverName/:mediaId`,
  `POST ${ROOM}/join`,
  `POST ${V3}/join/:roomIdOrAlias`,
  `POST ${ROOM}/leave`,
  `PUT ${ROOM}/send/:eventType/:txnId`,
  `POST ${ROOM}/send/:eventType`,
  `PUT ${ROOM}/state/:eventType`,
  `PUT ${ROOM}/state/:eventType/:stateKey`,
  `PUT ${V3}/sendToDevice/:eventType/:txnId`,
  `PUT ${V3}/profile/:userId/:keyName`,
  `DELETE ${V3}/profile/:userId/:keyName`,
  `GET ${V3}/devices`,
  `GET ${V3}/devices/:deviceId`,
  `PUT ${V3}/devices/:deviceId`,
  `GET ${V3}/account/whoami`,
  `POST ${V3}/keys/upload`,
  `POST ${V3}/keys/query`,
  `POST ${V3}/keys/claim`,
  `POST ${V3}/logout`,
]);

interface Asked {
  params?: unknown;
  query: unknown;
}

interface OfGuest {
  isGuest?: boolean | undefined;
}

/**
 * What throws M_GUEST_ACCESS_FORBIDDEN where a session is a guest's, and guests may not do this, or the server has none any more.
 * `path` is the route's pattern.
 */
export function guestsAt(
  ctx: Context,
  { method, path }: { method: string; path: string },
): (session: OfGuest, asked: Asked) => void {
  const isAllowed = ALLOWED.has(`${method} ${path}`);
  return ({ isGuest }, asked) => {
    if (!isGuest) return;
    if (!ctx.config.guests) throw noGuests();
    if (!isAllowed) throw forbidden("Guests may not do this. Register an account.");
    if (path === `${V3}/profile/:userId/:keyName` && valueIn(asked.params, "keyName") !== "displayname")
      throw forbidden("Of their profile, guests may change the display name alone.");
    if (path === `${V3}/events` && valueIn(asked.query, "room_id") === undefined)
      throw forbidden('Guests follow one room with /events: name it with "room_id".');
  };
}

function valueIn(values: unknown, name: string): unknown {
  return (values as Record<string, unknown> | undefined)?.[name];
}

export function forbidden(sentence: string) {
  return matrixError("M_GUEST_ACCESS_FORBIDDEN", sentence);
}

export function noGuests() {
  return forbidden("This server has no guests. Register an account.");
}

/** Those of the people whose accounts are guests'. */
export async function guestsAmong(ctx: Context, userIds: readonly string[]): Promise<string[]> {
  const sql = `select user_id as "userId" from auth.accounts where is_guest and user_id = any($1)`;
  return (await ctx.db.auth.query<{ userId: string }>(sql, [userIds])).map(({ userId }) => userId);
}
