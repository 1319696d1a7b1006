/** A provider, tried now: what it says of itself, the keys it signs with, and whether it knows this server by its id and secret. */
import type { Context } from "../../context.ts";
import { asError } from "../../errors.ts";
import { randomToken } from "../../seams.ts";
import type { SsoProvider } from "./config.ts";
import { redirectUriOf } from "./providers.ts";
import { discover, type Upstream } from "./upstream.ts";

export interface Check {
  what: "address" | "keys" | "client";
  ok: boolean;
  says: string;
}

/** As far as it comes: what rests on a check that failed is left out. */
export async function tryProvider(ctx: Context, provider: SsoProvider): Promise<Check[]> {
  let upstream: Upstream;
  try {
    upstream = await discover(ctx, provider);
  } catch (thrown) {
    return [
      { what: "address", ok: false, says: `${provider.issuer} does not answer as a provider: ${reasonOf(thrown)}` },
    ];
  }
  const { authorization_endpoint, token_endpoint } = upstream.configuration.serverMetadata();
  if (authorization_endpoint === undefined || token_endpoint === undefined)
    return [{ what: "address", ok: false, says: `${provider.issuer} does not say where people sign in.` }];
  return [
    { what: "address", ok: true, says: `${provider.issuer} answers. People sign in at ${authorization_endpoint}` },
    await keysOf(upstream),
    await clientOf(ctx, provider, upstream),
  ];
}

async function keysOf({ configuration, fetch }: Upstream): Promise<Check> {
  const { jwks_uri } = configuration.serverMetadata();
  try {
    if (jwks_uri === undefined) throw new Error("it does not say where they are");
    const answer = await fetch(jwks_uri, { method: "GET", headers: {}, body: undefined, redirect: "manual" });
    const { keys } = (await answer.json()) as { keys?: unknown[] };
    if (!Array.isArray(keys) || keys.length === 0) throw new Error(`there are none at ${jwks_uri}`);
    return { what: "keys", ok: true, says: `It signs with ${keys.length === 1 ? "one key" : `${keys.length} keys`}.` };
  } catch (thrown) {
    return { what: "keys", ok: false, says: `The keys that it signs with can not be read: ${reasonOf(thrown)}` };
  }
}

/** A code that nobody was given: who is known is told that the code is wrong, and who is not is told that. */
async function clientOf(ctx: Context, provider: SsoProvider, { library, configuration }: Upstream): Promise<Check> {
  try {
    await library.genericGrantRequest(configuration, "authorization_code", {
      code: randomToken(ctx.seams, 16),
      redirect_uri: redirectUriOf(ctx, provider),
    });
    return { what: "client", ok: false, says: "It took a code that nobody was given." };
  } catch (thrown) {
    const { error } = thrown as { error?: unknown };
    if (error === "invalid_grant")
      return { what: "client", ok: true, says: `It knows this server as ${provider.client_id}.` };
    const told = typeof error === "string" ? `it says ${error}` : reasonOf(thrown);
    return {
      what: "client",
      ok: false,
      says: `It does not take this server as ${provider.client_id}: ${told}. Compare client_id and client_secret with what is registered there.`,
    };
  }
}

function reasonOf(thrown: unknown): string {
  const { message, cause } = asError(thrown);
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
