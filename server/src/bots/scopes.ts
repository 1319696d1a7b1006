/**
 * What a token of a bot may do. A session has a list of scopes, and a request that none of them covers is refused, whatever the bot's
 * account may: what is not named here, such as changing a password or what administrators do, no token of a bot can.
 */
import { matrixError } from "../errors.ts";

export const scopes = {
  read: "Reads what the bot's account may read: syncs, rooms, profiles, files",
  send: "Sends messages and reactions, redacts, types, reads receipts out",
  rooms: "Makes rooms, joins and leaves them, invites, removes people, and changes their state",
  media: "Uploads files",
  encryption: "Has keys of its own: what a bot needs that reads and writes in encrypted rooms",
  profile: "Changes the bot's name, picture and settings",
} as const;

export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes) as Scope[];

const CLIENT = "^/_matrix/client/(?:v1|v3)";

/** The first line that fits a method and the pattern of a route says what it needs; `always` needs nothing. */
const RULES: readonly (readonly [Scope | "always", RegExp, RegExp])[] = [
  ["always", /^GET$/, new RegExp(`${CLIENT}/(account/whoami|capabilities)$`)],
  ["always", /^POST$/, new RegExp(`${CLIENT}/logout$`)],
  ["encryption", /./, new RegExp(`${CLIENT}/(keys|room_keys|sendToDevice)/`)],
  [
    "read",
    /^GET$/,
    new RegExp(
      `${CLIENT}/(sync|initialSync|events|joined_rooms|mutual_rooms|notifications|rooms|room_summary|user|presence|pushrules|media|thirdparty)(/|$)`,
    ),
  ],
  ["read", /^POST$/, new RegExp(`${CLIENT}/(publicRooms|search|user_directory/search|user/:userId/filter)$`)],
  ["read", /^POST$/, /^\/_matrix\/client\/unstable\/org\.matrix\.simplified_msc3575\/sync$/],
  ["send", /^PUT$/, new RegExp(`${CLIENT}/rooms/:roomId/(send|redact|typing)/`)],
  ["send", /^POST$/, new RegExp(`${CLIENT}/rooms/:roomId/(send/:eventType|redact/:eventId)$`)],
  ["send", /^POST$/, new RegExp(`${CLIENT}/rooms/:roomId/(receipt/|read_markers$)`)],
  ["send", /^PUT$/, new RegExp(`${CLIENT}/presence/`)],
  ["send", /^GET$/, /^\/_matrix\/client\/unstable\/org\.matrix\.msc4140\/delayed_events/],
  ["rooms", /^POST$/, new RegExp(`${CLIENT}/(createRoom$|join/|knock/)`)],
  ["rooms", /^POST$/, new RegExp(`${CLIENT}/rooms/:roomId/(ban|forget|invite|join|kick|leave|unban)$`)],
  ["rooms", /^PUT$/, new RegExp(`${CLIENT}/rooms/:roomId/state/`)],
  ["media", /^(POST|PUT)$/, /^\/_matrix\/media\//],
  ["media", /./, /^\/_parley\/client\/v1\/uploads(\/|$)/],
  ["profile", /^(PUT|DELETE)$/, new RegExp(`${CLIENT}/profile/`)],
  ["profile", /^(PUT|DELETE)$/, new RegExp(`${CLIENT}/user/:userId/(account_data|rooms)/`)],
];

/** What a request needs; undefined where no token of a bot may do it. `path` is the route's pattern. */
export function neededFor(method: string, path: string): Scope | "always" | undefined {
  return RULES.find(([, methods, paths]) => methods.test(method) && paths.test(path))?.[0];
}

interface Scoped {
  /** Undefined: everything that the account may. */
  scopes?: readonly string[] | undefined;
}

/** What throws M_FORBIDDEN where a session is a bot's, and none of its scopes covers the request. */
export function scopeFor(method: string, path: string): (session: Scoped) => void {
  const needed = neededFor(method, path);
  const what = needed === undefined ? "No token of a bot may do this." : `This token has not the scope "${needed}".`;
  return ({ scopes: own }) => {
    if (own === undefined || needed === "always" || (needed !== undefined && own.includes(needed))) return;
    throw matrixError("M_FORBIDDEN", what);
  };
}
