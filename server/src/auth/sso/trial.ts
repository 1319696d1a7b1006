/** A provider, tried now: what it says of itself, the keys it signs with, and whether it knows this server by its id and secret. */
import type { Context } from "../../context.ts";
import { asError } from "../../errors.ts";
import { randomToken } from "../../seams.ts";
import { isHere, type SsoProvider } from "./config.ts";
import { faultOf, quoted } from "./faults.ts";
import { redirectUriOf } from "./providers.ts";
import { discover, type Upstream } from "./upstream.ts";

export const checkNames = ["address", "sign_in", "keys", "client", "claims", "sign_out"] as const;

export interface Check {
  what: (typeof checkNames)[number];
  ok: boolean;
  says: string;
}

/** As far as it comes: what rests on a check that failed is left out. */
export async function tryProvider(ctx: Context, provider: SsoProvider): Promise<Check[]> {
  let upstream: Upstream;
  try {
    upstream = await discover(ctx, provider);
  } catch (thrown) {
    return [{ what: "address", ok: false, says: `${asError(thrown).message}.` }];
  }
  const asked = await Promise.all([keysOf(provider, upstream), clientOf(ctx, provider, upstream)]);
  return [
    { what: "address", ok: true, says: `${provider.issuer} answers, and calls itself so.` },
    signInOf(upstream),
    ...asked,
    ...claimsOf(provider, upstream),
    signOutOf(upstream),
  ];
}

/** What it names is what it can; what it leaves out it may have all the same. */
function signInOf({ configuration }: Upstream): Check {
  const { authorization_endpoint, response_types_supported, code_challenge_methods_supported } =
    configuration.serverMetadata();
  const lacks = (names: readonly string[] | undefined, name: string) => names !== undefined && !names.includes(name);
  const missing = [
    ...(lacks(response_types_supported, "code") ? ["the code flow (response_types_supported)"] : []),
    ...(lacks(code_challenge_methods_supported, "S256") ? ["PKCE with S256 (code_challenge_methods_supported)"] : []),
  ];
  return missing.length === 0
    ? { what: "sign_in", ok: true, says: `People sign in at ${quoted(authorization_endpoint ?? "")}` }
    : {
        what: "sign_in",
        ok: false,
        says: `It does not offer ${missing.join(" and ")}, by which people sign in here: look for it in what the provider has for this client.`,
      };
}

async function keysOf(provider: SsoProvider, { configuration, fetch }: Upstream): Promise<Check> {
  const { jwks_uri } = configuration.serverMetadata();
  try {
    if (jwks_uri === undefined) throw new Error("it does not say where they are (jwks_uri)");
    if (!jwks_uri.startsWith("https:") && !isHere(new URL(provider.issuer)))
      throw new Error("they are at an address with http://, which anybody on the way can change");
    const answer = await fetch(jwks_uri, { method: "GET", headers: {}, body: undefined, redirect: "manual" });
    // The message of a JSON error quotes what stands there.
    const found = (await answer.json().catch(() => null)) as { keys?: unknown } | null;
    if (!Array.isArray(found?.keys) || found.keys.length === 0)
      throw new Error(`there are none at ${quoted(jwks_uri)}`);
    const { length } = found.keys;
    return { what: "keys", ok: true, says: `It signs with ${length === 1 ? "one key" : `${length} keys`}.` };
  } catch (thrown) {
    return { what: "keys", ok: false, says: `The keys that it signs with can not be read: ${faultOf(thrown)}.` };
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
    const told = typeof error === "string" ? `it says ${quoted(error)}` : faultOf(thrown);
    return {
      what: "client",
      ok: false,
      says: `It does not take this server as ${provider.client_id}: ${told}. Compare client_id and client_secret with what is registered there.`,
    };
  }
}

/** Where it lists its claims and one is missing, people do without; some list fewer than they have. */
function claimsOf({ attributes }: SsoProvider, { configuration }: Upstream): Check[] {
  const { claims_supported: listed } = configuration.serverMetadata();
  if (!Array.isArray(listed)) return [];
  const wanted = Object.values(attributes).flatMap((each) =>
    each.includes("{") ? [...each.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name) : [each],
  );
  const missing = [...new Set(wanted)].filter((name) => name !== "" && !listed.includes(name));
  const says =
    missing.length === 0
      ? "It lists the claims that names and addresses are taken from."
      : `It does not list ${missing.join(", ")} among its claims. Without the user name's people choose one; look at attributes.`;
  return [{ what: "claims", ok: true, says }];
}

function signOutOf({ configuration }: Upstream): Check {
  const tells = configuration.serverMetadata()["backchannel_logout_supported"] === true;
  return {
    what: "sign_out",
    ok: true,
    says: tells
      ? "It can tell this server who signs out there (back-channel logout)."
      : "It does not say that it tells of sign-outs (back-channel logout): without that, sessions here go on.",
  };
}
