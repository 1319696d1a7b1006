/**
 * The one table of roles: which domains each mounts, and which paths it serves. The process router answers the paths of its
 * own roles, the gateway's proxy finds the role of every other path here, and rules for an ingress can be made from it. A test
 * compares the table with the routes of all domains, both ways.
 *
 * In a path `:name` is one segment, and `*` at its end is any number of segments, none included. A literal segment goes before
 * `:name`, and `:name` before `*`. `:version` covers the older and the unstable forms of a path.
 */
const CLIENT = "/_matrix/client/:version";
const EVERYTHING = "/*";

export const roles = {
  auth: {
    domains: ["auth", "scim"],
    paths: [
      "/_matrix/client/versions",
      "/.well-known/matrix/*",
      "/.well-known/openid-configuration",
      "/.well-known/oauth-authorization-server",
      "/oauth2/*",
      "/scim/v2/*",
      `${CLIENT}/auth_metadata`,
      "/_matrix/client/unstable/org.matrix.msc2965/*",
      `${CLIENT}/capabilities`,
      `${CLIENT}/voip/*`,
      `${CLIENT}/register/*`,
      `${CLIENT}/login/*`,
      `${CLIENT}/auth/*`,
      `${CLIENT}/refresh`,
      `${CLIENT}/logout/*`,
      `${CLIENT}/devices/*`,
      `${CLIENT}/delete_devices`,
      `${CLIENT}/account/*`,
      "/_parley/v1/registration_tokens/*",
      "/_parley/client/v1/email/*",
      `${CLIENT}/user/:userId/openid/*`,
      "/_matrix/federation/v1/openid/userinfo",
      "/_synapse/admin/v1/register",
      "/_matrix/static/client/login/*",
    ],
  },
  keys: {
    domains: ["keys"],
    paths: [
      `${CLIENT}/keys/*`,
      `${CLIENT}/sendToDevice/*`,
      `${CLIENT}/room_keys/*`,
      "/_matrix/client/unstable/org.matrix.msc3814.v1/*",
    ],
  },
  messages: {
    domains: ["rooms", "messages", "directory", "search", "account", "push", "appservice"],
    paths: [
      `${CLIENT}/createRoom`,
      `${CLIENT}/joined_rooms`,
      `${CLIENT}/events/:eventId`,
      `${CLIENT}/join/*`,
      `${CLIENT}/knock/*`,
      `${CLIENT}/rooms/*`,
      `${CLIENT}/directory/*`,
      `${CLIENT}/appservice/*`,
      `${CLIENT}/thirdparty/*`,
      `${CLIENT}/publicRooms`,
      `${CLIENT}/room_summary/*`,
      `${CLIENT}/search`,
      `${CLIENT}/user_directory/*`,
      `${CLIENT}/mutual_rooms`,
      "/_matrix/client/unstable/org.matrix.msc4140/*",
      `${CLIENT}/users/*`,
      `${CLIENT}/user/*`,
      `${CLIENT}/profile/*`,
      `${CLIENT}/pushrules/*`,
      `${CLIENT}/pushers/*`,
      `${CLIENT}/notifications`,
      "/_parley/client/v1/push/*",
    ],
  },
  gateway: {
    domains: ["sync", "gateway"],
    paths: [
      `${CLIENT}/sync`,
      `${CLIENT}/events`,
      `${CLIENT}/initialSync`,
      "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
      "/_parley/client/v1/stream/*",
    ],
  },
  presence: {
    domains: ["presence"],
    paths: [
      `${CLIENT}/presence/*`,
      `${CLIENT}/rooms/:roomId/typing/*`,
      `${CLIENT}/rooms/:roomId/receipt/*`,
      `${CLIENT}/rooms/:roomId/read_markers`,
      "/_parley/client/v1/decryptions",
    ],
  },
  media: {
    domains: ["media"],
    // The last one is for processes of the role web: media/lent/.
    paths: ["/_matrix/media/*", `${CLIENT}/media/*`, "/_parley/client/v1/uploads/*", "/_parley/internal/v1/upload"],
  },
  worker: { domains: ["worker"], paths: [] },
  web: {
    domains: ["web", "console", "billing"],
    // The operator API and the console's own; then whatever is no path of an API: the web app knows its own addresses.
    paths: [`${CLIENT}/admin/*`, "/_parley/admin/v1/*", "/_parley/client/v1/exports/*", "/api/*", EVERYTHING],
  },
} as const;

export type RoleName = keyof typeof roles;
export type Domain = (typeof roles)[RoleName]["domains"][number];

export const roleNames = Object.keys(roles) as RoleName[];

/** Whether a process with these roles serves the domain. */
export function serves(own: readonly RoleName[], domain: Domain): boolean {
  return own.some((role) => (roles[role].domains as readonly Domain[]).includes(domain));
}

export interface Place {
  role: RoleName;
  /** The line of the table. */
  pattern: string;
}

/** Where a path without its query is served; undefined for a probe, and for a path of an API that the table does not know. */
export function placeOf(path: string): Place | undefined {
  const segments = path.split("/").filter((segment) => segment !== "");
  const [first = ""] = segments;
  const found = find(tree, segments);
  // Every process has probes of its own.
  const isOthers = first.startsWith("_") || first === ".well-known" || first === "health";
  return found?.pattern === EVERYTHING && isOthers ? undefined : found;
}

interface Node {
  literals: Map<string, Node>;
  any?: Node;
  rest?: Place;
  end?: Place;
}

const tree = plant();

function plant(): Node {
  const root: Node = { literals: new Map() };
  for (const role of roleNames)
    for (const pattern of roles[role].paths) {
      let at = root;
      const segments = pattern.split("/").slice(1);
      const last = segments.at(-1) === "*" ? segments.pop() : undefined;
      for (const segment of segments) at = grow(at, segment);
      at[last ? "rest" : "end"] = { role, pattern };
    }
  return root;
}

function grow(node: Node, segment: string): Node {
  if (segment.startsWith(":")) return (node.any ??= { literals: new Map() });
  const next = node.literals.get(segment) ?? { literals: new Map() };
  node.literals.set(segment, next);
  return next;
}

/** The most specific line: literal segments first, then parameters, then the nearest rest. */
function find(node: Node, [segment, ...others]: readonly string[]): Place | undefined {
  if (segment === undefined) return node.end ?? node.rest;
  const literal = node.literals.get(segment);
  return (literal && find(literal, others)) ?? (node.any && find(node.any, others)) ?? node.rest;
}
