/** The page on which somebody says who they are. */
import type { Context } from "../../../context.ts";
import { matrixError } from "../../../errors.ts";
import { type Answer, route } from "../../../http.ts";
import { passkeyForm } from "../../factors/pages/passkey.ts";
import { afterPassword } from "../../factors/pages/code.ts";
import { checkPassword } from "../../passwords.ts";
import { isDeactivated } from "../../queries.ts";
import { mayRegister, needsMail } from "../../registration-tokens.ts";
import { providerButtons } from "../../sso/begin.ts";
import { userIdFrom } from "../../user-names.ts";
import { paths } from "../addresses.ts";
import { refuseForeignForm, refuseNewSessions, signOutBrowser, whoIs } from "../browsers.ts";
import { readForm } from "../forms.ts";
import { hidden, passwordField, userField } from "./fields.ts";
import { nextOf, withNext } from "./next.ts";
import { html, page, problem, redirect, type Refusal, refusalOf } from "./page.ts";

interface Given {
  next: string;
  user?: string;
  refusal?: Refusal;
}

async function signInPage(ctx: Context, given: Given): Promise<Answer> {
  const isOpen = !needsMail(ctx) && (await mayRegister(ctx));
  return page(ctx, {
    title: "Sign in",
    script: paths.passkeyScript,
    status: given.refusal?.status ?? 200,
    content: html`${problem(given.refusal?.problem)}
      <form method="post" action="${paths.signIn}">
        ${hidden("next", given.next)} ${userField(given.user)} ${passwordField("Password", { isNeeded: true })}
        <p><button>Sign in</button></p>
      </form>
      ${passkeyForm(given.next)} ${providerButtons(ctx, given.next)}
      ${isOpen ? html`<p class="quiet">New here? <a href="${withNext(paths.register, given.next)}">Make an account</a></p>` : undefined}`,
  });
}

export const showSignIn = route({
  method: "GET",
  path: paths.signIn,
  access: "anyone",
  rate: "other",
  handle: ({ query }, ctx) => signInPage(ctx, { next: nextOf(query["next"]) }),
});

export const signIn = route({
  method: "POST",
  path: paths.signIn,
  access: "anyone",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const [next, user] = [nextOf(field("next")), field("user").trim()];
    try {
      refuseForeignForm(ctx, request);
      refuseNewSessions(ctx, next);
      await ctx.rates.admit("login", request.address);
      const userId = await provenUser(ctx, { user, password: field("password"), address: request.address });
      return await afterPassword(ctx, request, { userId, next });
    } catch (thrown) {
      return signInPage(ctx, { next, user, refusal: refusalOf(thrown) });
    }
  },
});

/** Whose name and password these are. Throws M_FORBIDDEN. */
async function provenUser(ctx: Context, given: { user: string; password: string; address: string }): Promise<string> {
  const userId = userIdFrom(ctx, given.user);
  const hash = await checkPassword(ctx, { userId, password: given.password, address: given.address });
  if (hash !== undefined) return userId;
  if (await isDeactivated(ctx, userId)) throw matrixError("M_FORBIDDEN", "This account has been deactivated.");
  throw matrixError("M_FORBIDDEN", "The user name or the password is not right.");
}

export const signOut = route({
  method: "POST",
  path: paths.signOut,
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const browser = await whoIs(ctx, request);
    refuseForeignForm(ctx, request, browser ? { browser, token: field("token") } : {});
    const headers = await signOutBrowser(ctx, request);
    if (field("next") !== "") return redirect(withNext(paths.signIn, nextOf(field("next"))), headers);
    return page(ctx, {
      title: "Signed out",
      headers,
      content: html`<p>This browser is signed out of your account. Your applications stay signed in.</p>
        <p><a href="${paths.signIn}">Sign in again</a></p>`,
    });
  },
});
