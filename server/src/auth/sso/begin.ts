/** The way to a provider: a page of ours, or a client, leads here, and the browser goes on to the provider. */
import { createHash } from "node:crypto";
import type { Context } from "../../context.ts";
import { asError } from "../../errors.ts";
import { Answer, type Request, route } from "../../http.ts";
import { randomToken } from "../../seams.ts";
import { paths } from "../oauth/addresses.ts";
import { whoIs } from "../oauth/browsers.ts";
import { isOfConsole, nextOf, withNext } from "../oauth/pages/next.ts";
import { type Html, html, message, redirect, shown } from "../oauth/pages/page.ts";
import type { SsoProvider } from "./config.ts";
import { findProvider, pathOf, providersOf, redirectUriOf } from "./providers.ts";
import { beginStep, type Purpose } from "./steps.ts";
import { upstreamOf } from "./upstream.ts";

const SECRET_BYTES = 32;

export type PageRequest = Pick<
  Request<unknown, Record<string, string>, undefined>,
  "params" | "query" | "headers" | "body" | "address"
>;

/** One for each provider, on a page where somebody says who they are. Links: a policy would hold a form to this server. */
export function providerButtons(ctx: Context, next: string): Html | undefined {
  const all = providersOf(ctx);
  if (all.length === 0) return undefined;
  return html`<div class="choice">
    <p class="quiet">or</p>
    ${all.map((each) => html`<a class="button second" href="${withNext(pathOf(each), next)}">Continue with ${each.name}</a>`)}
  </div>`;
}

export const begin = route({
  method: "GET",
  path: `${paths.upstream}/:provider`,
  access: "anyone",
  rate: "other",
  handle: shown(async (request: PageRequest, ctx) => {
    const provider = findProvider(ctx, request.params["provider"]);
    const { query } = request;
    const browser = query["for"] === "link" ? await whoIs(ctx, request) : undefined;
    if (query["for"] === "link" && !browser) return redirect(withNext(paths.signIn, paths.account));
    const purpose: Purpose = browser
      ? { kind: "link", userId: browser.userId }
      : typeof query["confirm"] === "string"
        ? { kind: "confirm", session: query["confirm"] }
        : { kind: "sign-in" };
    return toProvider(ctx, request, { provider, purpose, next: nextOf(query["next"]) });
  }),
});

interface Going {
  provider: SsoProvider;
  purpose: Purpose;
  next: string;
}

/**
 * For who goes on to the console: the provider is to ask them, however long they have been signed in there, and to say when it did. Both,
 * since some know one of the two only. OpenID Connect Core 1.0, section 3.1.2.1.
 */
const ASKED_AGAIN = { prompt: "login", max_age: "0" };

/** OpenID Connect Core 1.0, section 3.1.2.1, with PKCE (RFC 7636). */
async function toProvider(ctx: Context, request: PageRequest, { provider, purpose, next }: Going): Promise<Answer> {
  let upstream;
  try {
    upstream = await upstreamOf(ctx, provider);
  } catch (thrown) {
    return unavailable(ctx, provider, thrown);
  }
  const [nonce, verifier] = [randomToken(ctx.seams, SECRET_BYTES), randomToken(ctx.seams, SECRET_BYTES)];
  const step = { kind: "sent", providerId: provider.id, purpose, next, nonce, verifier } as const;
  const { id: state, headers } = await beginStep(ctx, request, step);
  const { library, configuration } = upstream;
  const url = library.buildAuthorizationUrl(configuration, {
    ...provider.parameters,
    ...(isOfConsole(next) ? ASKED_AGAIN : {}),
    redirect_uri: redirectUriOf(ctx, provider),
    scope: ["openid", ...provider.scopes.filter((each) => each !== "openid")].join(" "),
    state,
    nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  return redirect(url.href, headers);
}

/** What somebody sees whose provider does not answer; what it was is for the operator. */
export function unavailable(ctx: Context, { id, name }: SsoProvider, thrown: unknown): Answer {
  const { message: reason } = asError(thrown);
  ctx.logger.warn({ provider: id, reason }, "a provider of single sign-on does not answer as it should");
  const sentence = `${name} can not be reached right now. Try again in a moment, or sign in another way.`;
  return message(ctx, 502, { title: "That did not work", sentence });
}
