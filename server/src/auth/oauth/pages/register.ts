/** The page on which somebody makes an account, where the server lets them. Specification: "User registration". */
import type { Context } from "../../../context.ts";
import { type Answer, route } from "../../../http.ts";
import { matrixError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { requireHuman } from "../../captcha/verify.ts";
import { captchaHeaders, captchaWidget, RESPONSE } from "../../captcha/widget.ts";
import { checkNewPassword } from "../../passwords.ts";
import { createAccount, freeUserId } from "../../register.ts";
import { isUsableRegistrationToken, mayRegister, needsMail, refuseWhileOff } from "../../registration-tokens.ts";
import { providerButtons } from "../../sso/begin.ts";
import { acceptedIn, policyFields, type Reader } from "../../terms/fields.ts";
import type { Versions } from "../../terms/policies.ts";
import { tokenHash } from "../../tokens.ts";
import { paths } from "../addresses.ts";
import { refuseForeignForm, refuseNewSessions, signInBrowser } from "../browsers.ts";
import { type Form, readForm } from "../forms.ts";
import { nextOf, withNext } from "./next.ts";
import { hidden, newPasswordField, userField } from "./fields.ts";
import { html, message, page, problem, redirect, type Refusal, refusalOf } from "./page.ts";

interface Given extends Reader {
  next: string;
  user?: string;
  token?: string;
  refusal?: Refusal;
}

/** This page asks for no address: what it let through would be an account without one. */
const NEEDS_MAIL =
  "An account on this server needs an e-mail address, which this page can not ask for. Make the account in an application that can, then sign in.";

async function registerPage(ctx: Context, given: Given): Promise<Answer> {
  if (!(await mayRegister(ctx)))
    return message(ctx, 403, {
      title: "Make an account",
      sentence: "Nobody can register on this server by themselves. Ask its operators for an account.",
    });
  if (needsMail(ctx)) return message(ctx, 403, { title: "Make an account", sentence: NEEDS_MAIL });
  const isOpen = ctx.controls.now().registration === "open";
  const captcha = isOpen ? ctx.config.captcha : undefined;
  return page(ctx, {
    title: "Make an account",
    ...(captcha ? { headers: captchaHeaders(captcha) } : {}),
    status: given.refusal?.status ?? 200,
    content: html`${problem(given.refusal?.problem)}
      <form method="post" action="${paths.register}">
        ${hidden("next", given.next)} ${userField(given.user, "Letters a to z, digits and . _ = - /")}
        ${newPasswordField(ctx, { name: "password", label: "Password" })}
        <label
          >Password again
          <input
            type="password"
            name="again"
            autocomplete="new-password"
            required
            maxlength="${limits.password_characters}"
        /></label>
        <label
          >Registration token
          <input
            name="registration_token"
            value="${given.token ?? ""}"
            autocomplete="off"
            spellcheck="false"
            ${isOpen ? html`` : html` required`}
          />
          <small>${isOpen ? "If you were given one." : "Who invites you to this server gives you one."}</small></label
        >
        ${policyFields(ctx, given)} ${captcha && captchaWidget(captcha)}
        <p><button>Make the account</button></p>
      </form>
      ${providerButtons(ctx, given.next)}
      <p class="quiet">You have one? <a href="${withNext(paths.signIn, given.next)}">Sign in</a></p>`,
  });
}

export const showRegister = route({
  method: "GET",
  path: paths.register,
  access: "anyone",
  rate: "other",
  handle: ({ query, headers }, ctx) =>
    registerPage(ctx, { headers, next: nextOf(query["next"]), token: query["token"] ?? "" }),
});

export const register = route({
  method: "POST",
  path: paths.register,
  access: "anyone",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const [next, user, token] = [nextOf(field("next")), field("user").trim(), field("registration_token").trim()];
    try {
      refuseForeignForm(ctx, request);
      refuseNewSessions(ctx);
      await ctx.rates.admit("register", request.address);
      const versions = acceptedIn(ctx, { headers: request.headers, sent: field });
      const userId = await makeAccount(ctx, { user, token, field, versions });
      return redirect(next, await signInBrowser(ctx, request, userId));
    } catch (thrown) {
      return registerPage(ctx, {
        headers: request.headers,
        sent: field,
        next,
        user,
        token,
        refusal: refusalOf(thrown),
      });
    }
  },
});

interface Sent {
  user: string;
  token: string;
  field: Form;
  versions: Versions;
}

/** The rules are those of POST /register: a token where the server asks for one, and one that is given is used. */
async function makeAccount(ctx: Context, { user, token, field, versions }: Sent): Promise<string> {
  await refuseWhileOff(ctx);
  if (needsMail(ctx)) throw matrixError("M_FORBIDDEN", NEEDS_MAIL);
  const userId = await freeUserId(ctx, user);
  const password = field("password");
  checkNewPassword(ctx, password);
  if (password !== field("again")) throw matrixError("M_INVALID_PARAM", "The two passwords differ.");
  const hash = token === "" ? undefined : tokenHash(token);
  const isNeeded = ctx.controls.now().registration !== "open";
  if (hash ? !(await isUsableRegistrationToken(ctx, hash)) : isNeeded)
    throw matrixError("M_FORBIDDEN", "This registration token is not known, has expired or is used up.");
  if (!hash && ctx.config.captcha) await requireHuman(ctx, ctx.config.captcha, field(RESPONSE));
  await createAccount(ctx, { userId, password, tokenHash: hash, versions });
  return userId;
}
