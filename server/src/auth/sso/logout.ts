/**
 * The provider ends what it has begun. OpenID Connect Back-Channel Logout 1.0, sections 2.5 to 2.8: it posts a logout token, and the sessions that
 * its sign-ins made here end, on every replica, with what is under way.
 */
import type { FetchImplementation, JWTPayload } from "jose";
import { z } from "zod";
import type { Context } from "../../context.ts";
import { asError, MatrixError } from "../../errors.ts";
import { Answer, type Request, route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { paths } from "../oauth/addresses.ts";
import { readBody } from "../oauth/forms.ts";
import type { SsoProvider } from "./config.ts";
import { findProvider } from "./providers.ts";
import { endLogins, type Ending } from "./sessions.ts";
import { type Upstream, upstreamOf } from "./upstream.ts";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** Whoever signs with a secret that both know is not the provider alone. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

const text = z.string().min(1).max(limits.ssoSubject_characters);
const logoutClaims = z.looseObject({
  iat: z.number(),
  jti: text,
  sub: text.optional(),
  sid: text.optional(),
  events: z.looseObject({ [EVENT]: z.looseObject({}) }),
});

export const logout = route({
  method: "POST",
  path: `${paths.upstream}/:provider/logout`,
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle(request: Pick<Request<unknown, unknown, undefined>, "params" | "body">, ctx) {
    try {
      const provider = findProvider(ctx, request.params["provider"]);
      const fields = new URLSearchParams(await readBody(request.body, limits.ssoLogout_bytes));
      const ending = await endingIn(ctx, provider, fields.get("logout_token") ?? "");
      if (!(await endLogins(ctx, ending))) return refusal("The logout token was used before.");
    } catch (thrown) {
      if (thrown instanceof LogoutRefused || thrown instanceof MatrixError) return refusal(thrown.message);
      throw thrown;
    }
    return new Answer({ headers: { "cache-control": "no-store" }, payload: "" });
  },
});

class LogoutRefused extends Error {}

function refusal(error_description: string): Answer {
  const body = { error: "invalid_request", error_description };
  return new Answer({ status: 400, headers: { "cache-control": "no-store" }, payload: JSON.stringify(body) });
}

/** What a logout token says. Throws LogoutRefused for one that is none, or not for us. */
async function endingIn(ctx: Context, provider: SsoProvider, token: string): Promise<Ending> {
  const { issuer, payload } = await verified(ctx, provider, token);
  const claims = logoutClaims.safeParse(payload);
  if (!claims.success) {
    const { path, message } = claims.error.issues[0] ?? { path: [], message: "" };
    throw new LogoutRefused(`The logout token is not right at ${path.join(".")}: ${message}.`);
  }
  const { jti, sub: subject, sid, iat } = claims.data;
  // An id token has one; it must not end a session when it gets out.
  if ("nonce" in payload) throw new LogoutRefused("The logout token has a nonce.");
  if (subject === undefined && sid === undefined) throw new LogoutRefused("The logout token has neither sub nor sid.");
  const now_s = ctx.seams.now_ms() / 1_000;
  if (iat > now_s + limits.ssoSkew_s) throw new LogoutRefused("The logout token is from the future.");
  return { issuer, clientId: provider.client_id, subject, sid, tokenId: jti };
}

async function verified(
  ctx: Context,
  provider: SsoProvider,
  token: string,
): Promise<{ issuer: string; payload: JWTPayload }> {
  try {
    const upstream = await upstreamOf(ctx, provider);
    const { issuer } = upstream.configuration.serverMetadata();
    const { jwtVerify } = await import("jose");
    const { payload, protectedHeader } = await jwtVerify(token, await keysOf(upstream), {
      issuer,
      audience: provider.client_id,
      algorithms: ALGORITHMS,
      currentDate: new Date(ctx.seams.now_ms()),
      clockTolerance: limits.ssoSkew_s,
      maxTokenAge: limits.ssoLogout_ms / 1_000,
    });
    // By the specification it should say what it is; a token that says that it is something else is that.
    if (!["logout+jwt", "jwt", undefined].includes(protectedHeader.typ?.toLowerCase().replace(/^application\//, "")))
      throw new Error(`its typ is ${protectedHeader.typ ?? ""}`);
    return { issuer, payload };
  } catch (thrown) {
    throw new LogoutRefused(`The logout token can not be verified: ${asError(thrown).message}.`);
  }
}

type Keys = ReturnType<typeof import("jose").createRemoteJWKSet>;

const keySets = new WeakMap<Upstream, Keys>();

/** The provider's keys, read again when a token names one that is not among them. */
async function keysOf(upstream: Upstream): Promise<Keys> {
  const known = keySets.get(upstream);
  if (known) return known;
  const { createRemoteJWKSet, customFetch } = await import("jose");
  const { jwks_uri } = upstream.configuration.serverMetadata();
  if (jwks_uri === undefined) throw new Error("the provider has no jwks_uri");
  const asked: FetchImplementation = (url, { method, headers, signal }) =>
    upstream.fetch(url, { method, headers: Object.fromEntries(headers), signal, body: null, redirect: "manual" });
  const keys = createRemoteJWKSet(new URL(jwks_uri), {
    [customFetch]: asked,
  });
  keySets.set(upstream, keys);
  return keys;
}
