// A provider of OpenID Connect on loopback, by whom people of a test server sign in: `oidc-provider`, which somebody else wrote.

import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { importJWK, SignJWT } from "jose";
import { Provider } from "oidc-provider";
import { readSso, type SsoConfig } from "../../server/src/auth/sso/config.ts";
import type { Browser, Visited } from "./oauth.ts";

export type UpstreamPerson = {
  sub: string;
  preferred_username?: string;
  name?: string;
  email?: string;
  email_verified?: boolean;
  groups?: string[];
};

export type Upstream = AsyncDisposable & {
  issuer: string;
  /** Who is signed in there: whoever comes is this person. */
  person: UpstreamPerson;
  /** Serves a client whose provider id at `server` is `id`. */
  serve(server: string, id: string): void;
  /** A logout token as the provider signs it, with what is changed in it; a claim that is undefined is left out. */
  logoutToken(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Has the provider itself send its logout token for this person, as when they sign out there. */
  signOut(sub: string): Promise<void>;
};

export const UPSTREAM_CLIENT = { client_id: "parley", client_secret: "a secret of parley" };

/** What a server has to be told of the provider, as its configuration. */
export function ssoBy({ issuer }: Upstream, named: { id: string; name: string }): SsoConfig {
  return readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([{ ...named, issuer, ...UPSTREAM_CLIENT }]) });
}

export async function startUpstream(person: UpstreamPerson): Promise<Upstream> {
  let answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  let provider: Provider | undefined;
  const http = createServer((request, response) => answer?.(request, response));
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: "upstream", alg: "RS256", use: "sig" };
  const people = new Map<string, UpstreamPerson>();

  const upstream: Upstream = {
    issuer,
    person,
    serve(server, id) {
      provider = providerFor({ issuer, jwk, people, server, id });
      const callback = provider.callback();
      const { interactionFinished } = provider;
      const finish = interactionFinished.bind(provider);
      answer = (request, response) => {
        if (!request.url?.startsWith("/interaction/")) return void callback(request, response);
        people.set(upstream.person.sub, upstream.person);
        void finish(request, response, { login: { accountId: upstream.person.sub } });
      };
    },
    async logoutToken(claims, header = {}) {
      const now_s = Math.floor(Date.now() / 1_000);
      const whole = {
        iss: issuer,
        aud: UPSTREAM_CLIENT.client_id,
        iat: now_s,
        exp: now_s + 120,
        jti: `${Math.random()}`,
        events: { "http://schemas.openid.net/event/backchannel-logout": {} },
        ...claims,
      };
      return new SignJWT(whole)
        .setProtectedHeader({ alg: "RS256", kid: "upstream", typ: "logout+jwt", ...header })
        .sign(await importJWK(jwk, "RS256"));
    },
    async signOut(sub) {
      const client = await provider?.Client.find(UPSTREAM_CLIENT.client_id);
      await (client as unknown as { backchannelLogout(sub: string, sid?: string): Promise<void> }).backchannelLogout(
        sub,
      );
    },
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        http.closeAllConnections();
        http.close(() => closed());
      }),
  };
  return upstream;
}

type Serving = { issuer: string; jwk: object; people: Map<string, UpstreamPerson>; server: string; id: string };

function providerFor({ issuer, jwk, people, server, id }: Serving): Provider {
  const at = `${server}/oauth2/upstream/${id}`;
  return new Provider(issuer, {
    jwks: { keys: [jwk] },
    clients: [
      {
        ...UPSTREAM_CLIENT,
        redirect_uris: [`${at}/callback`],
        backchannel_logout_uri: `${at}/logout`,
      },
    ],
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username", "groups"],
      email: ["email", "email_verified"],
    },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    pkce: { required: () => true },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    // By itself it sends nothing to addresses of this machine.
    fetch: (url: string | URL | Request, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown } = {}) =>
      fetch(url, init),
    cookies: { keys: ["a key of a test"] },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId ?? "",
        accountId: ctx.oidc.session?.accountId ?? "",
      });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
  });
}

/** Goes to the provider, where `page` leads, and gives the address with which it sends the person back. */
export async function throughUpstream(page: Visited, there: Browser): Promise<string> {
  if (page.location === undefined) throw new Error(`this leads nowhere: ${page.status} ${page.text}`);
  const { location, status, text } = await there.open(page.location);
  if (location === undefined) throw new Error(`the provider sends nobody back: ${status} ${text}`);
  return location;
}
