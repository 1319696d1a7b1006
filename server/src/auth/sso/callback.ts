/**
 * Back from a provider. The answer counts once and in the browser that was sent; `openid-client` checks `state`, `iss`, the code with its
 * verifier, and of the id token its signature, issuer, audience, nonce and times. OpenID Connect Core 1.0, sections 3.1.2.5 to 3.1.3.7.
 */
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { type Answer, route } from "../../http.ts";
import { paths } from "../oauth/addresses.ts";
import { message, shown } from "../oauth/pages/page.ts";
import { arrive } from "./arrive.ts";
import { type PageRequest, unavailable } from "./begin.ts";
import type { SsoProvider } from "./config.ts";
import { type Claims, type Identity, identityOf, whyNot } from "./identity.ts";
import { findProvider, redirectUriOf } from "./providers.ts";
import { type Sent, useStep } from "./steps.ts";
import { type Upstream, upstreamOf } from "./upstream.ts";

export const callback = route({
  method: "GET",
  path: `${paths.upstream}/:provider/callback`,
  access: "anyone",
  handle: shown(async (request: PageRequest, ctx) => {
    await ctx.rates.admit("login", request.address);
    const provider = findProvider(ctx, request.params["provider"]);
    const { state, error } = request.query;
    const wanted = { kind: "sent", id: typeof state === "string" ? state : "", providerId: provider.id } as const;
    const sent = await useStep(ctx, request, wanted);
    if (error !== undefined) return refusedThere(ctx, provider, error);
    let upstream;
    try {
      upstream = await upstreamOf(ctx, provider);
    } catch (thrown) {
      return unavailable(ctx, provider, thrown);
    }
    const { identity, claims } = await whoCame(ctx, { provider, upstream, sent, query: request.query });
    const reason = whyNot(provider, identity, claims);
    if (reason !== undefined) throw matrixError("M_FORBIDDEN", reason);
    return arrive(ctx, request, { provider, sent, identity });
  }),
});

function refusedThere(ctx: Context, { id, name }: SsoProvider, error: string): Answer {
  if (error === "access_denied")
    return message(ctx, 403, { title: "Cancelled", sentence: `${name} did not let you in. Go back and begin again.` });
  ctx.logger.warn({ provider: id, error: error.slice(0, 100) }, "a provider of single sign-on refused a request");
  const sentence = `${name} refused the sign-in. Try again, or tell whoever runs this server.`;
  return message(ctx, 502, { title: "That did not work", sentence });
}

interface Came {
  provider: SsoProvider;
  upstream: Upstream;
  sent: Sent;
  query: Readonly<Record<string, string | readonly string[]>>;
}

/** Throws M_FORBIDDEN where the answer is not what it has to be. */
async function whoCame(ctx: Context, came: Came): Promise<{ identity: Identity; claims: Claims }> {
  try {
    return await exchange(ctx, came);
  } catch (thrown) {
    const { message: reason } = asError(thrown);
    ctx.logger.warn({ provider: came.provider.id, reason }, "an answer of a provider of single sign-on was refused");
    throw matrixError(
      "M_FORBIDDEN",
      `The answer of ${came.provider.name} is not right, so nobody was signed in. Go back and begin again.`,
    );
  }
}

async function exchange(ctx: Context, { provider, upstream, sent, query }: Came) {
  const { library, configuration } = upstream;
  const url = new URL(redirectUriOf(ctx, provider));
  for (const [name, value] of Object.entries(query))
    for (const each of [value].flat()) url.searchParams.append(name, each);
  const tokens = await library.authorizationCodeGrant(configuration, url, {
    expectedState: String(query["state"]),
    expectedNonce: sent.nonce,
    pkceCodeVerifier: sent.verifier,
    idTokenExpected: true,
  });
  const token = tokens.claims();
  if (!token) throw new Error("there is no id token");
  const isAll = wantedClaims(provider).every((name) => Object.hasOwn(token, name));
  const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined;
  const more = isAll || !hasMore ? {} : await library.fetchUserInfo(configuration, tokens.access_token, token.sub);
  const claims = { ...more, ...token };
  return { identity: identityOf(provider, token, claims), claims };
}

function wantedClaims({ attributes, require_claims }: SsoProvider): string[] {
  const named = Object.values(attributes).flatMap((each) =>
    each.includes("{") ? [...each.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name) : each,
  );
  return [...named, ...Object.keys(require_claims)].filter((name) => name !== "");
}
