/**
 * The page of each stage, and here those of stages that most clients ask for themselves: a password, a registration token, and none at
 * all. Specification: client-server-api, "Fallback". Whoever knows a session's id could complete its stage without the page, so a form that another site sends
 * can do nothing more; it can not know the password, and the token it would have to give away.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Answer } from "../http.ts";
import { showCaptchaStage, solveCaptcha } from "./captcha/page.ts";
import { sendStageMail, showMailStage } from "./email/page.ts";
import { hasSecondFactor } from "./factors/totp.ts";
import { addressOf, paths } from "./oauth/addresses.ts";
import type { Form } from "./oauth/forms.ts";
import { donePage } from "./oauth/pages/done.ts";
import { hidden, passwordField } from "./oauth/pages/fields.ts";
import { type Html, html, page, problem, type Refusal, refusalOf } from "./oauth/pages/page.ts";
import { checkPassword, hasPassword } from "./passwords.ts";
import { isUsableRegistrationToken } from "./registration-tokens.ts";
import { showSsoStage } from "./sso/confirm.ts";
import type { Stage } from "./stages.ts";
import { acceptTerms, showTermsStage } from "./terms/page.ts";
import { tokenHash } from "./tokens.ts";
import { actOf, completeOwnStage, completeStage, requireOwnWaiting, requireWaiting } from "./waiting.ts";

interface Showing {
  session: string;
  headers: IncomingHttpHeaders;
  /** Where a page has several. */
  step?: string | undefined;
  refusal?: Refusal | undefined;
}

/** What the person has sent. */
interface Sent {
  sent: Form;
  headers: IncomingHttpHeaders;
  address: string;
}

interface StagePage {
  show(ctx: Context, showing: Showing): Promise<Answer>;
  /** The page comes again where what was sent is refused. Absent where the stage goes on elsewhere. */
  take?(ctx: Context, sent: Sent): Promise<Answer>;
}

function form(stage: Stage, session: string, fields?: Html): Html {
  return html`<form method="post" action="/_matrix/client/v3/auth/${stage}/fallback/web">
    ${hidden("session", session)} ${fields}
    <p><button>Continue</button></p>
  </form>`;
}

/** Shows the page, and takes what comes of it by `prove`, which throws where that is refused. */
function stagePage(show: StagePage["show"], prove: (ctx: Context, given: Sent) => Promise<void>): StagePage {
  return {
    show,
    async take(ctx, given) {
      try {
        await prove(ctx, given);
      } catch (thrown) {
        return show(ctx, { session: given.sent("session"), headers: given.headers, refusal: refusalOf(thrown) });
      }
      return donePage(ctx);
    },
  };
}

const password = stagePage(
  async (ctx, { session, refusal }) => {
    const { userId, operation } = await requireOwnWaiting(ctx, session);
    await requirePassword(ctx, userId);
    return page(ctx, {
      title: "Is it you who asks?",
      status: refusal?.status ?? 200,
      content: html`${problem(refusal?.problem)}
        <p>An application that is signed in as ${userId} wants to <strong>${actOf(operation)}</strong>.</p>
        <p class="quiet">Enter your password only if you have just begun this yourself.</p>
        ${form("m.login.password", session, passwordField("Password", { isNeeded: true }))}`,
    });
  },
  async (ctx, { sent, address }) => {
    const session = sent("session");
    const { userId } = await requireOwnWaiting(ctx, session);
    await requirePassword(ctx, userId);
    if ((await checkPassword(ctx, { userId, password: sent("password"), address })) === undefined)
      throw matrixError("M_FORBIDDEN", "The password is not right.");
    await completeOwnStage(ctx, { session, userId }, { "m.login.password": "" });
  },
);

/** Throws M_NOT_FOUND where a password proves nothing. */
async function requirePassword(ctx: Context, userId: string): Promise<void> {
  if (!(await hasPassword(ctx, userId)))
    throw matrixError("M_NOT_FOUND", "There is no page for this stage: the account has no password.");
  if (await hasSecondFactor(ctx, userId)) {
    const where = addressOf(ctx, paths.account);
    throw matrixError(
      "M_NOT_FOUND",
      `There is no page for this stage: the account has a second factor. Go to ${where}.`,
    );
  }
}

const registrationToken = stagePage(
  async (ctx, { session, refusal }) => {
    await requireWaiting(ctx, session);
    const field = html`<label
      >Registration token <input name="token" autocomplete="off" spellcheck="false" required
    /></label>`;
    return page(ctx, {
      title: "Before you go on",
      status: refusal?.status ?? 200,
      content: html`${problem(refusal?.problem)}
        <p>An account on this server needs a token, which its administrators give.</p>
        ${form("m.login.registration_token", session, field)}`,
    });
  },
  async (ctx, { sent, address }) => {
    const session = sent("session");
    await requireWaiting(ctx, session);
    await ctx.rates.admit("register", address);
    const hash = tokenHash(sent("token"));
    if (!(await isUsableRegistrationToken(ctx, hash)))
      throw matrixError("M_FORBIDDEN", "This registration token is not known, has expired or is used up.");
    await completeStage(ctx, session, { "m.login.registration_token": hash.toString("base64") });
  },
);

const dummy = stagePage(
  async (ctx, { session, refusal }) => {
    await requireWaiting(ctx, session);
    return page(ctx, {
      title: "Before you go on",
      status: refusal?.status ?? 200,
      content: html`${problem(refusal?.problem)}
        <p>An application wants to make an account on this server.</p>
        ${form("m.login.dummy", session)}`,
    });
  },
  async (ctx, { sent }) => {
    const session = sent("session");
    await requireWaiting(ctx, session);
    await completeStage(ctx, session, { "m.login.dummy": "" });
  },
);

/** By the stage. */
export const stagePages: Readonly<Record<string, StagePage | undefined>> = {
  "m.login.password": password,
  "m.login.registration_token": registrationToken,
  "m.login.dummy": dummy,
  "m.login.sso": { show: (ctx, { session }) => showSsoStage(ctx, session) },
  "m.login.terms": { show: showTermsStage, take: acceptTerms },
  "m.login.recaptcha": {
    show: (ctx, { session }) => showCaptchaStage(ctx, session),
    take: (ctx, { sent, address }) => solveCaptcha(ctx, sent, address),
  },
  "m.login.email.identity": {
    show: (ctx, { session, step }) => showMailStage(ctx, { session, step }),
    take: (ctx, { sent, address }) => sendStageMail(ctx, sent, address),
  },
};
