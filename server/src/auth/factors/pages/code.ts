/** The second step of a sign-in by password, for accounts with a second factor. */
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../../../context.ts";
import { type Answer, route } from "../../../http.ts";
import { limits } from "../../../limits.ts";
import { paths } from "../../oauth/addresses.ts";
import { refuseForeignForm, refuseNewSessions, signInBrowser } from "../../oauth/browsers.ts";
import { readForm } from "../../oauth/forms.ts";
import { nextOf, withNext } from "../../oauth/pages/next.ts";
import { hidden } from "../../oauth/pages/fields.ts";
import { type Html, html, page, problem, redirect, type Refusal, refusalOf } from "../../oauth/pages/page.ts";
import { endHalfSignIn, halfSignedIn, halfSignIn } from "../half-sign-ins.ts";
import { proveSecondFactor } from "../second-factor.ts";
import { hasSecondFactor } from "../totp.ts";
import { passkeyForm } from "./passkey.ts";

interface Asked {
  headers: IncomingHttpHeaders;
}

/** What follows the right password: the browser is signed in, or the code is asked for. */
export async function afterPassword(
  ctx: Context,
  asked: Asked,
  { userId, next }: { userId: string; next: string },
): Promise<Answer> {
  if (!(await hasSecondFactor(ctx, userId))) return redirect(next, await signInBrowser(ctx, asked, userId));
  return redirect(withNext(paths.signInCode, next), await halfSignIn(ctx, userId));
}

/** `inputmode` stays text: a recovery code has letters. */
export function codeField(label: string, note: string): Html {
  return html`<label
    >${label}
    <input
      name="code"
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck="false"
      required
      maxlength="${limits.factorCode_characters}"
    />
    <small>${note}</small></label
  >`;
}

function codePage(ctx: Context, { next, refusal }: { next: string; refusal?: Refusal }): Answer {
  return page(ctx, {
    title: "Your code",
    status: refusal?.status ?? 200,
    script: paths.passkeyScript,
    content: html`${problem(refusal?.problem)}
      <form method="post" action="${paths.signInCode}">
        ${hidden("next", next)}
        ${codeField("Code", "From the app that makes your codes, or one of your recovery codes.")}
        <p><button>Continue</button></p>
      </form>
      ${passkeyForm(next)}
      <p class="quiet">
        No app and no recovery code left? The operators of this server can take the second factor away from your
        account.
      </p>
      <p class="quiet"><a href="${withNext(paths.signIn, next)}">Back</a></p>`,
  });
}

export const showCode = route({
  method: "GET",
  path: paths.signInCode,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    const next = nextOf(request.query["next"]);
    const userId = await halfSignedIn(ctx, request);
    return userId === undefined ? redirect(withNext(paths.signIn, next)) : codePage(ctx, { next });
  },
});

export const enterCode = route({
  method: "POST",
  path: paths.signInCode,
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const next = nextOf(field("next"));
    const userId = await halfSignedIn(ctx, request);
    if (userId === undefined) return redirect(withNext(paths.signIn, next));
    try {
      refuseForeignForm(ctx, request);
      refuseNewSessions(ctx, next);
      await proveSecondFactor(ctx, { userId, code: field("code") });
      await endHalfSignIn(ctx, request);
      return redirect(next, await signInBrowser(ctx, request, userId));
    } catch (thrown) {
      return codePage(ctx, { next, refusal: refusalOf(thrown) });
    }
  },
});
