/** What clients read first. Specification: client-server-api, "Server metadata discovery"; RFC 8414; OpenID Connect Discovery. */
import type { Context } from "../../context.ts";
import { Answer, route, type Route } from "../../http.ts";
import { addressOf, issuerOf, paths } from "./addresses.ts";
import { grantTypes } from "./client-metadata.ts";
import { REGISTRATION_PATH } from "./clients.ts";
import { knownScopes } from "./scopes.ts";
import { SIGNING_ALGORITHM } from "./signing-keys.ts";

/** How long clients may keep it. */
const CACHE_S = 300;

/** Actions of the account page that a client may link to. Specification: "Account management URL actions". */
export const accountActions = [
  "org.matrix.profile",
  "org.matrix.devices_list",
  "org.matrix.device_view",
  "org.matrix.device_delete",
  "org.matrix.account_deactivate",
  "org.matrix.cross_signing_reset",
] as const;

export function accountUrl(ctx: Context): string {
  return addressOf(ctx, paths.account);
}

function metadataOf(ctx: Context): object {
  const at = (path: string) => addressOf(ctx, path);
  return {
    issuer: issuerOf(ctx),
    authorization_endpoint: at(paths.authorize),
    token_endpoint: at(paths.token),
    revocation_endpoint: at(paths.revoke),
    registration_endpoint: at(REGISTRATION_PATH),
    device_authorization_endpoint: at(paths.device),
    jwks_uri: at(paths.keys),
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment"],
    grant_types_supported: grantTypes,
    code_challenge_methods_supported: ["S256"],
    prompt_values_supported: ["create"],
    scopes_supported: knownScopes,
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
    authorization_response_iss_parameter_supported: true,
    account_management_uri: accountUrl(ctx),
    account_management_actions_supported: accountActions,
  };
}

function metadataAt(path: string, alsoAt: readonly string[]): Route {
  return route({
    method: "GET",
    path,
    alsoAt,
    access: "anyone",
    rate: "other",
    handle: (_request, ctx) =>
      new Answer({
        headers: { "cache-control": `public, max-age=${CACHE_S}` },
        payload: JSON.stringify(metadataOf(ctx)),
      }),
  });
}

/** What clients from before the specification had it ask for instead. */
const authIssuer = route({
  method: "GET",
  path: "/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
  access: "anyone",
  rate: "other",
  handle: (_request, ctx) => ({ issuer: issuerOf(ctx) }),
});

export const metadataRoutes: readonly Route[] = [
  metadataAt("/_matrix/client/v1/auth_metadata", ["/_matrix/client/unstable/org.matrix.msc2965/auth_metadata"]),
  metadataAt("/.well-known/openid-configuration", ["/.well-known/oauth-authorization-server"]),
  authIssuer,
];
