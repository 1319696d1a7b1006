/**
 * The authorisation server's protocol, by `oidc-provider`: the authorisation endpoint, the token endpoint, device authorisation and the
 * JWKS. What it asks of us: where its state is (adapter.ts), who the person is and what they allow (the pages), and the tokens
 * (sessions.ts), which are those of ordinary sessions. Specification: client-server-api, "OAuth 2.0 API".
 */
import type { Configuration, JWK, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Context } from "../../context.ts";
import { MatrixError } from "../../errors.ts";
import type { Exchange } from "../../exchange.ts";
import { limits } from "../../limits.ts";
import { isActive } from "../queries.ts";
import { adapterOf } from "./adapter.ts";
import { issuerOf, paths } from "./addresses.ts";
import { DEVICE_GRANT } from "./client-metadata.ts";
import { noteAsked } from "./device-polls.ts";
import { message } from "./pages/page.ts";
import { readScope } from "./scopes.ts";
import { beginSession, refreshSession } from "./sessions.ts";
import { type Ring, SIGNING_ALGORITHM } from "./signing-keys.ts";

/** Binds a sign-in that goes on to the browser in which it began. */
export const INTERACTION_COOKIE = "parley-interaction";

const seconds = (ms: number) => Math.ceil(ms / 1_000);

type Library = typeof import("oidc-provider");

interface Built {
  ring: Ring;
  issuer: string;
  provider: Provider;
}

const builtFor = new WeakMap<Context, Promise<Built>>();

/** The provider, with the keys of now. It keeps nothing, so that it is made again when they change. */
export async function providerOf(ctx: Context): Promise<Provider> {
  const [ring, before] = await Promise.all([ctx.signingKeys.ring(), builtFor.get(ctx)]);
  const issuer = issuerOf(ctx);
  if (before?.ring === ring && before.issuer === issuer) return before.provider;
  const building = import("oidc-provider").then((library) => ({
    ring,
    issuer,
    provider: build(ctx, library, { ring, issuer }),
  }));
  builtFor.set(ctx, building);
  return (await building).provider;
}

/** Has the provider answer. To it the address is that of the issuer, and `client` that of who asks, whatever the request says. */
export async function serveByProvider(ctx: Context, handOver: () => Exchange, client: string): Promise<void> {
  const provider = await providerOf(ctx);
  const { host, protocol } = new URL(issuerOf(ctx));
  const { incoming, outgoing } = handOver();
  delete incoming.headers["x-forwarded-host"];
  incoming.headers.host = host;
  incoming.headers["x-forwarded-for"] = client;
  incoming.headers["x-forwarded-proto"] = protocol.slice(0, -1);
  await provider.callback()(incoming, outgoing);
}

function build(ctx: Context, library: Library, keys: Pick<Built, "ring" | "issuer">): Provider {
  const provider = new library.default(keys.issuer, {
    adapter: adapterOf(ctx, {
      grant: (message) => new library.errors.InvalidGrant(message),
      request: (message) => new library.errors.InvalidRequest(message),
    }),
    jwks: { keys: keys.ring.keys.map(({ kid, privateKey }) => ({ ...privateJwk(privateKey), kid })) },
    ...protocolOf(library, keys.issuer),
    // What a person allowed counts for the request for which they did, and for no other.
    loadExistingGrant: async (asked) => {
      const { grantId } = (asked.oidc.result?.consent ?? {}) as { grantId?: string };
      return grantId === undefined ? undefined : asked.oidc.provider.Grant.find(grantId);
    },
    findAccount: async (_asked, userId) =>
      (await isActive(ctx, userId)) ? { accountId: userId, claims: () => ({ sub: userId }) } : undefined,
    // Tokens are made by `answeringWithSessions`.
    issueRefreshToken: () => Promise.resolve(false),
    expiresWithSession: () => Promise.resolve(false),
    renderError: (asked, { error, error_description }) => {
      const sentence = `The application asked for something that can not be: ${error_description ?? error}.`;
      const { headers, payload } = message(ctx, asked.status, { title: "That did not work", sentence });
      asked.set(headers);
      asked.body = payload;
    },
  });
  // So that it believes what serveByProvider says of the address.
  provider.proxy = true;
  provider.on("server_error", (_asked, error) => ctx.logger.error({ err: error }, "the authorisation server failed"));
  provider.registerGrantType("refresh_token", refreshing(ctx, library), ["refresh_token", "scope"]);
  provider.use(withoutFormPost);
  provider.use(answeringWithSessions(ctx));
  provider.use(slowingDown(ctx));
  return provider;
}

/** What of OAuth 2.0 there is, and how long each part of it lives. */
function protocolOf(library: Library, issuer: string): Configuration {
  const { errors, interactionPolicy } = library;
  const policy = interactionPolicy.base();
  // Registration was asked for: the page that answers is another one, and the rest is the same.
  policy.add(new interactionPolicy.Prompt({ name: "create", requestable: true }), 0);
  return {
    routes: {
      authorization: paths.authorize,
      token: paths.token,
      jwks: paths.keys,
      device_authorization: paths.device,
      code_verification: paths.link,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      // The client-server API is the one resource that there is: what may be asked of it, a device among it, is said by the scope.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => issuer,
        useGrantedResource: () => true,
        getResourceServerInfo: (asked, resource) => {
          if (resource !== issuer) throw new errors.InvalidTarget();
          return { scope: askedScope(asked, library), accessTokenFormat: "opaque" };
        },
      },
      deviceFlow: { enabled: true, charset: "base-20", mask: "****-****", deviceInfo: () => ({}) },
    },
    pkce: { required: () => true },
    responseTypes: ["code"],
    clientAuthMethods: ["none"],
    clientBasedCORS: () => true,
    scopes: ["openid"],
    claims: { openid: ["sub"] },
    enabledJWA: { idTokenSigningAlgValues: [SIGNING_ALGORITHM] },
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
    cookies: { names: { interaction: INTERACTION_COOKIE, resume: "parley-resume", session: "parley-oauth" } },
    interactions: { policy, url: (_asked, { uid }) => `${paths.interaction}/${uid}` },
    ttl: lifetimes,
  };
}

/** Who the browser is we say ourselves, each time; tokens are ours too. What the library has of both is of no use after a moment. */
const lifetimes = {
  AuthorizationCode: seconds(limits.oauthCode_ms),
  DeviceCode: seconds(limits.oauthDeviceCode_ms),
  Grant: seconds(limits.oauthGrant_ms),
  Interaction: seconds(limits.oauthInteraction_ms),
  Session: seconds(limits.oauthInteraction_ms),
  IdToken: seconds(limits.oauthGrant_ms),
  AccessToken: seconds(limits.oauthGrant_ms),
  RefreshToken: seconds(limits.oauthGrant_ms),
};

/** Throws `invalid_scope` where a client asks for what can not be granted. Where tokens are asked for, it was looked at before. */
function askedScope({ oidc: { params, route } }: KoaContextWithOIDC, { errors }: Library): string {
  const scope = params?.["scope"];
  const read = readScope(typeof scope === "string" ? scope : undefined);
  if (typeof read !== "string") return read.scope;
  if (route === "token") return "";
  throw new errors.InvalidScope(read, typeof scope === "string" ? scope : "");
}

function privateJwk(key: Ring["signing"]["privateKey"]): JWK {
  return { ...(key.export({ format: "jwk" }) as JWK), alg: SIGNING_ALGORITHM, use: "sig" };
}

type Middleware = (asked: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

/**
 * Answers come in the query or the fragment. The library has a third mode, whose page is one with an inline script: here it is none that
 * anybody knows, so that the client is told so at once, by the mode that it would have had without asking for one.
 */
const withoutFormPost: Middleware = (asked, next) => {
  if (asked.path === paths.authorize && asked.query["response_mode"] === "form_post")
    asked.query = { ...asked.query, response_mode: "none" };
  return next();
};

/** A device that asks before its time is told to ask more seldom. RFC 8628, section 3.5. */
function slowingDown(ctx: Context): Middleware {
  return async (asked, next) => {
    await next();
    const { grant_type, device_code } = asked.oidc?.params ?? {};
    if (grant_type !== DEVICE_GRANT || typeof device_code !== "string") return;
    if ((asked.body as { error?: string } | undefined)?.error !== "authorization_pending") return;
    if (await noteAsked(ctx, device_code))
      asked.body = {
        error: "slow_down",
        error_description: "the device asked too soon: wait 5 seconds longer each time",
      };
  };
}

type Handler = Parameters<Provider["registerGrantType"]>[1];

/** The refresh token grant. RFC 6749, section 6. */
function refreshing(ctx: Context, { errors }: Library): Handler {
  return async (asked) => {
    const { params, client } = asked.oidc;
    const refreshToken = params?.["refresh_token"];
    if (typeof refreshToken !== "string" || !client) throw new errors.InvalidRequest("missing refresh_token");
    const answer = await refreshSession(ctx, { refreshToken, clientId: client.clientId });
    if (!answer) throw new errors.InvalidGrant("this refresh token is not valid");
    asked.body = answer;
  };
}

/** Where the provider found that a code is good, a session begins, and its tokens are the answer. Devices are told how often they may ask. */
function answeringWithSessions(ctx: Context): Middleware {
  return async (asked, next) => {
    await next();
    if (asked.oidc?.route === "device_authorization" && asked.status === 200)
      asked.body = { ...(asked.body as object), interval: limits.oauthPoll_s };
    const { AuthorizationCode, DeviceCode, Client: client } = asked.oidc?.entities ?? {};
    const code = AuthorizationCode ?? DeviceCode;
    if (asked.oidc?.route !== "token" || asked.status !== 200 || !code || !client) return;
    const { id_token } = asked.body as { id_token?: string };
    try {
      const answer = await beginSession(ctx, {
        ...allowedBy(asked),
        clientName: client.clientName ?? client.clientUri ?? "",
      });
      asked.body = { ...answer, ...(id_token === undefined ? {} : { id_token }) };
    } catch (thrown) {
      if (!(thrown instanceof MatrixError) || thrown.status >= 500) throw thrown;
      asked.status = 400;
      asked.body = { error: "invalid_grant", error_description: thrown.message };
    }
  };
}

/** What the person allowed whose code this is. */
function allowedBy(asked: KoaContextWithOIDC) {
  const { AuthorizationCode, DeviceCode, Client } = asked.oidc.entities;
  const code = AuthorizationCode ?? DeviceCode;
  const read = readScope(code?.scope);
  if (typeof read === "string" || !code?.accountId || !code.grantId || !Client)
    throw new Error("the code lacks what was allowed");
  return {
    userId: code.accountId,
    deviceId: read.deviceId,
    scope: read.scope,
    clientId: Client.clientId,
    grantId: code.grantId,
    address: asked.ip,
  };
}
