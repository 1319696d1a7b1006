/**
 * Talking to a provider, by `openid-client`, which is loaded with the first sign-in. It is asked through the outward guard: the host of the
 * issuer may be anywhere, since the operator named it; what the issuer names in turn is on the public internet, or among `hosts`.
 */
import type { ClientAuth, Configuration, CustomFetch } from "openid-client";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { type GuardOptions } from "../../outward/guard.ts";
import { sendOutward } from "../../outward/request.ts";
import { valueOf } from "../../secrets/address.ts";
import { realSeams } from "../../seams.ts";
import { isHere, type SsoProvider } from "./config.ts";
import { faultOf } from "./faults.ts";

type Library = typeof import("openid-client");

export interface Upstream {
  library: Library;
  configuration: Configuration;
  /** As `fetch`, guarded: for whatever else is asked of this provider. */
  fetch: CustomFetch;
}

interface Known {
  until_ms: number;
  upstream: Promise<Upstream>;
}

const discovered = new WeakMap<SsoProvider, Known>();

/** The provider, and what it says of itself; asked for once in `limits.ssoDiscovery_ms`. Throws Error where it does not answer. */
export function upstreamOf(ctx: Context, provider: SsoProvider): Promise<Upstream> {
  const known = discovered.get(provider);
  const now_ms = ctx.seams.monotonic_ms();
  if (known && known.until_ms > now_ms) return known.upstream;
  const upstream = discover(ctx, provider);
  const mine = { until_ms: now_ms + limits.ssoDiscovery_ms, upstream };
  discovered.set(provider, mine);
  // One that was away is asked again by whoever comes next.
  upstream.catch(() => discovered.get(provider) === mine && discovered.delete(provider));
  return upstream;
}

/** The same, asked anew. */
export async function discover(ctx: Context, provider: SsoProvider): Promise<Upstream> {
  const library = await import("openid-client");
  const fetch = guardedFetch(ctx, provider);
  const issuer = new URL(provider.issuer);
  const { clientSecret } = provider;
  // Nothing is checked here by a clock of the library's own: it is told how far that is from ours.
  const skew_s = Math.round((ctx.seams.now_ms() - realSeams.now_ms()) / 1_000);
  const metadata = { [library.clockSkew]: skew_s, [library.clockTolerance]: limits.ssoSkew_s };
  const proof = clientSecret === undefined ? library.None() : secretProof(library, clientSecret);
  const configuration = await library
    .discovery(issuer, provider.client_id, metadata, proof, {
      [library.customFetch]: fetch,
      execute: [
        // The id token comes straight from the provider; its signature is asked for all the same.
        library.enableNonRepudiationChecks,
        ...(isHere(issuer) ? [library.allowInsecureRequests] : []),
      ],
    })
    .catch((thrown: unknown) => {
      throw new Error(`${provider.issuer} does not answer as a provider: ${faultOf(thrown)}`, { cause: thrown });
    });
  const { authorization_endpoint, token_endpoint } = configuration.serverMetadata();
  if (authorization_endpoint === undefined || token_endpoint === undefined)
    throw new Error(
      `${provider.issuer} does not say where people sign in: there is no ${authorization_endpoint === undefined ? "authorization_endpoint" : "token_endpoint"}`,
    );
  return { library, configuration, fetch };
}

/** The secret of this moment, in the way that the provider takes. */
function secretProof(library: Library, address: string): ClientAuth {
  return (...asked) => {
    const ways = asked[0].token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    const way = ways.includes("client_secret_basic") ? library.ClientSecretBasic : library.ClientSecretPost;
    return way(valueOf(address))(...asked);
  };
}

/** `fetch`, to where the provider may be. Throws as the outward guard does. */
export function guardedFetch({ seams }: Context, provider: SsoProvider): CustomFetch {
  const guard: GuardOptions = {
    allowed: provider.hosts,
    setting: `hosts of the provider ${provider.id}`,
    isPublicAllowed: true,
  };
  return async (url, { method, headers, body, signal }) => {
    const sent = body === null || body === undefined ? {} : { body: textOf(body) };
    const outgoing = {
      method: method === "POST" ? ("POST" as const) : ("GET" as const),
      url,
      headers,
      ...sent,
      timeout_ms: limits.ssoAnswer_ms,
      answer_bytes: limits.ssoAnswer_bytes,
      ...(signal ? { signal } : {}),
    };
    const answer = await sendOutward(seams, outgoing, guard);
    const given = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    );
    // Such an answer has no body, and `Response` insists.
    const isEmpty = [204, 205, 304].includes(answer.status);
    return new Response(isEmpty ? null : new Uint8Array(answer.body), { status: answer.status, headers: given });
  };
}

/** The library sends forms, and nothing else of what `fetch` could. */
function textOf(body: unknown): string {
  if (typeof body === "string" || body instanceof URLSearchParams) return body.toString();
  throw new Error("a request to a provider has a body that is no form");
}
