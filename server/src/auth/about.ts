/** What the server says about itself. */
import { matrixError } from "../errors.ts";
import { type Route, route } from "../http.ts";
import { vapidOf } from "../push/web/vapid.ts";
import { supportedRoomVersions } from "../rooms/rules/versions.ts";
import { turnCredentials } from "./turn.ts";

const NEWEST_MINOR = 19;
const versions = Array.from({ length: NEWEST_MINOR }, (_, i) => `v1.${i + 1}`);

/**
 * Specification: "GET /versions". What is here is in a version of the specification, but for the stream, which is Parley's own
 * (docs/protocol/stream.md), and sliding sync, which clients ask for by this name (docs/protocol/sliding-sync.md).
 */
const getVersions = route({
  method: "GET",
  path: "/_matrix/client/versions",
  access: "anyone",
  handle: () => ({
    versions,
    unstable_features: {
      "io.parley.stream": true,
      "io.parley.decryptions": true,
      "org.matrix.simplified_msc3575": true,
      "org.matrix.msc4140": true,
      "org.matrix.msc3874": true,
    },
  }),
});

/** Specification: "Capabilities negotiation". */
const getCapabilities = route({
  method: "GET",
  path: "/_matrix/client/v3/capabilities",
  access: "session",
  rate: "other",
  handle: async ({ session }, ctx) => ({
    capabilities: {
      "m.change_password": { enabled: true },
      "m.room_versions": {
        default: ctx.config.roomVersion,
        available: Object.fromEntries(supportedRoomVersions.map((version) => [version, "stable"])),
      },
      "m.set_displayname": { enabled: true },
      "m.set_avatar_url": { enabled: true },
      "m.profile_fields": { enabled: true },
      "m.3pid_changes": { enabled: ctx.config.mail !== undefined },
      "m.get_login_token": { enabled: true },
      "m.forget_forced_upon_leave": { enabled: false },
      ...(session.isAdmin ? { "m.account_moderation": { suspend: true, lock: true } } : {}),
      // MSC4174: what apps make their subscription of Web Push for.
      "m.webpush": { enabled: true, vapid: (await vapidOf(ctx)).publicKey },
    },
  }),
});

/** Specification: "Well-known URIs". */
const wellKnownClient = route({
  method: "GET",
  path: "/.well-known/matrix/client",
  access: "anyone",
  handle: (_request, ctx) => ({ "m.homeserver": { base_url: ctx.publicUrl() } }),
});

const wellKnownSupport = route({
  method: "GET",
  path: "/.well-known/matrix/support",
  access: "anyone",
  handle: (_request, { config }) => {
    if (config.support) return config.support;
    throw matrixError("M_NOT_FOUND", "This server names no contacts.");
  },
});

const wellKnownPolicyServer = route({
  method: "GET",
  path: "/.well-known/matrix/policy_server",
  access: "anyone",
  handle: () => {
    throw matrixError("M_NOT_FOUND", "There is no policy server here.");
  },
});

/** Specification: "Voice over IP". An answer with status 200 must name a server, so that there is none is a 404. */
const turnServer = route({
  method: "GET",
  path: "/_matrix/client/v3/voip/turnServer",
  access: "session",
  rate: "other",
  handle: ({ session }, { config, seams }) => {
    if (config.turn) return turnCredentials(config.turn, session.userId, seams.now_ms());
    throw matrixError("M_NOT_FOUND", "This server has no TURN server.");
  },
});

export const aboutRoutes: readonly Route[] = [
  getVersions,
  getCapabilities,
  wellKnownClient,
  wellKnownSupport,
  wellKnownPolicyServer,
  turnServer,
];
