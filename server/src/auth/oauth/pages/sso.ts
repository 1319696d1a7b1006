/**
 * The sign-in pages for clients that know the legacy API alone: they send the person to the SSO redirect, and get them back with a token
 * for POST /login. Specification: client-server-api, "Client login via SSO" and "OAuth 2.0 aware clients".
 */
import { z } from "zod";
import type { Context } from "../../../context.ts";
import { matrixError } from "../../../errors.ts";
import { Answer, type Request, route } from "../../../http.ts";
import { limits } from "../../../limits.ts";
import { makeLoginToken } from "../../login-token.ts";
import { findProvider, pathOf } from "../../sso/providers.ts";
import { addressOf, paths } from "../addresses.ts";
import { type Browser, refuseForeignForm, refuseNewSessions, whoIs } from "../browsers.ts";
import { readForm } from "../forms.ts";
import { otherAccount } from "./consent.ts";
import { hidden } from "./fields.ts";
import { withNext } from "./next.ts";
import { html, page, redirect, shown } from "./page.ts";

/** Nobody can answer at these: they run something, or show something as if it were another's. */
const FORBIDDEN = new Set(["javascript:", "data:", "vbscript:", "blob:", "file:", "about:"]);

/** Throws M_INVALID_PARAM for what is no address of a client. */
function clientUrl(given: string | undefined): URL {
  const url = given === undefined || given.length > limits.oauthClientText_characters ? null : URL.parse(given);
  if (!url || FORBIDDEN.has(url.protocol))
    throw matrixError("M_INVALID_PARAM", "redirectUrl must be the address of the application that asks.");
  return url;
}

function pathFor(redirectUrl: string, more: { action?: string | undefined; by?: string | undefined } = {}): string {
  const query = new URLSearchParams({ redirectUrl });
  for (const [name, value] of Object.entries(more)) if (value !== undefined) query.set(name, value);
  return `${paths.sso}?${query.toString()}`;
}

export const ssoRedirect = route({
  method: "GET",
  path: "/_matrix/client/v3/login/sso/redirect",
  access: "anyone",
  rate: "other",
  query: z.looseObject({ redirectUrl: z.string(), action: z.string().optional() }),
  handle({ query }, ctx) {
    clientUrl(query.redirectUrl);
    const location = addressOf(ctx, pathFor(query.redirectUrl, { action: query.action }));
    return new Answer({ status: 302, headers: { location, "cache-control": "no-store" }, payload: "" });
  },
});

/** Specification: "GET /login/sso/redirect/{idpId}". */
export const ssoRedirectTo = route({
  method: "GET",
  path: "/_matrix/client/v3/login/sso/redirect/:idpId",
  access: "anyone",
  rate: "other",
  query: z.looseObject({ redirectUrl: z.string(), action: z.string().optional() }),
  handle({ params, query }, ctx) {
    clientUrl(query.redirectUrl);
    const provider = findProvider(ctx, params["idpId"]);
    const location = addressOf(ctx, withNext(pathOf(provider), pathFor(query.redirectUrl, { by: provider.id })));
    return new Answer({ status: 302, headers: { location, "cache-control": "no-store" }, payload: "" });
  },
});

/**
 * Whether people are sent back to this client without being asked. Specification: "Client login via SSO", "Security considerations". The
 * sign-in page of this server's own is, and what the operator named.
 */
function isTrusted(ctx: Context, url: URL): boolean {
  const own = new URL("/login", ctx.publicUrl());
  return [own, ...ctx.config.sso.clients].some(({ origin, pathname }) => {
    const below = pathname.endsWith("/") ? pathname : `${pathname}/`;
    return url.origin === origin && origin !== "null" && (url.pathname === pathname || url.pathname.startsWith(below));
  });
}

async function backToClient(ctx: Context, url: URL, { userId, login }: Browser): Promise<Answer> {
  refuseNewSessions(ctx);
  url.searchParams.set("loginToken", await makeLoginToken(ctx, userId, login));
  return redirect(url.href);
}

type Asked = Pick<Request<unknown, Record<string, string>, undefined>, "headers" | "query" | "body">;

export const showSso = route({
  method: "GET",
  path: paths.sso,
  access: "anyone",
  rate: "other",
  handle: shown(async (request: Asked, ctx) => {
    const { redirectUrl = "", action, by } = request.query;
    const url = clientUrl(redirectUrl);
    const browser = await whoIs(ctx, request);
    const here = pathFor(redirectUrl, { action });
    if (!browser) return redirect(withNext(action === "register" ? paths.register : paths.signIn, here));
    // Who comes from the provider that they have chosen in the client has said enough; others may want to be somebody else.
    if (by !== undefined && browser.login !== null && isTrusted(ctx, url)) return backToClient(ctx, url, browser);
    return page(ctx, {
      title: "Let an application in?",
      leadsTo: url.href,
      content: html`<p>
          An application at <strong>${url.host || url.protocol}</strong> wants to use your account: read and send
          messages, and change your rooms and your profile.
        </p>
        <p class="quiet">Go on only if you have just begun this yourself.</p>
        <form method="post" action="${paths.sso}" class="choice">
          ${hidden("token", browser.formToken)}${hidden("redirectUrl", redirectUrl)}
          <button>Continue as ${browser.userId}</button>
        </form>
        ${otherAccount(browser, here)}`,
    });
  }),
});

export const finishSso = route({
  method: "POST",
  path: paths.sso,
  access: "anyone",
  rate: "login",
  body: "stream",
  handle: shown(async (request: Asked, ctx) => {
    const field = await readForm(request.body);
    const url = clientUrl(field("redirectUrl"));
    const browser = await whoIs(ctx, request);
    if (!browser) return redirect(withNext(paths.signIn, pathFor(url.href)));
    refuseForeignForm(ctx, request, { browser, token: field("token") });
    return backToClient(ctx, url, browser);
  }),
});
