/** Signing in with a passkey, and what passkeys are asked to sign. Without a script there is the password. */
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../../../context.ts";
import { matrixError } from "../../../errors.ts";
import { Answer, route } from "../../../http.ts";
import { paths } from "../../oauth/addresses.ts";
import { type Browser, refuseForeignForm, refuseNewSessions, signInBrowser, whoIs } from "../../oauth/browsers.ts";
import { readForm } from "../../oauth/forms.ts";
import { nextOf, withNext } from "../../oauth/pages/next.ts";
import { hidden } from "../../oauth/pages/fields.ts";
import { type Html, html, page, problem, redirect, refusalOf } from "../../oauth/pages/page.ts";
import { tokenHash } from "../../tokens.ts";
import { begin, begunHash } from "../begun.ts";
import { newPasskeyOptions, provenByPasskey, signInOptions } from "../webauthn.ts";

/** Hidden until the script has found that the browser has passkeys. */
export function passkeyForm(next: string): Html {
  return html`<form
    method="post"
    action="${paths.signInPasskey}"
    data-passkey="get"
    data-options="${paths.passkeyOptions}"
    hidden
  >
    ${hidden("next", next)}${hidden("credential", "")}
    <p class="problem" role="alert" hidden></p>
    <p><button class="second">Sign in with a passkey</button></p>
  </form>`;
}

function json(body: object, headers: Record<string, string> = {}): Answer {
  return new Answer({
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    payload: JSON.stringify(body),
  });
}

/** For the script: the challenge is good in this browser alone. */
export const challengeForSignIn = route({
  method: "POST",
  path: paths.passkeyOptions,
  access: "anyone",
  rate: "passkey",
  body: "stream",
  async handle(request, ctx) {
    await readForm(request.body);
    refuseForeignForm(ctx, request);
    const known = begunHash(ctx, request);
    const { hash, headers } = known ? { hash: known, headers: {} } : begin(ctx);
    return json(await signInOptions(ctx, hash), headers);
  },
});

/** What the challenge of a new passkey is bound to: this sign-in of the browser. */
export function newPasskeyHash({ formToken }: Browser): Buffer {
  return tokenHash(formToken);
}

export const challengeForNew = route({
  method: "POST",
  path: paths.newPasskeyOptions,
  access: "anyone",
  rate: "passkey",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const browser = await whoIs(ctx, request);
    if (!browser?.isRecent)
      throw matrixError("M_FORBIDDEN", "You signed in some time ago. Open this page again to go on.");
    refuseForeignForm(ctx, request, { browser, token: field("token") });
    return json(await newPasskeyOptions(ctx, { userId: browser.userId, browserHash: newPasskeyHash(browser) }));
  },
});

export const signInByPasskey = route({
  method: "POST",
  path: paths.signInPasskey,
  access: "anyone",
  rate: "login",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const next = nextOf(field("next"));
    try {
      refuseForeignForm(ctx, request);
      refuseNewSessions(ctx, next);
      const userId = await provenUser(ctx, request, field("credential"));
      return redirect(next, await signInBrowser(ctx, request, userId));
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      return page(ctx, {
        title: "That did not work",
        status: refusal.status,
        content: html`${problem(refusal.problem)}
          <p><a href="${withNext(paths.signIn, next)}">Sign in another way</a></p>`,
      });
    }
  },
});

/** Throws M_FORBIDDEN. */
function provenUser(ctx: Context, asked: { headers: IncomingHttpHeaders }, credential: string): Promise<string> {
  const browserHash = begunHash(ctx, asked);
  if (!browserHash) throw matrixError("M_FORBIDDEN", "Passkeys need cookies. Allow them for this page, and try again.");
  return provenByPasskey(ctx, { credential, browserHash });
}
