/** The page on which the captcha is solved for a client that does not show it itself. Specification: client-server-api, "Fallback". */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import type { Answer } from "../../http.ts";
import { completeStage, requireWaiting } from "../waiting.ts";
import type { Form } from "../oauth/forms.ts";
import { donePage } from "../oauth/pages/done.ts";
import { hidden } from "../oauth/pages/fields.ts";
import { html, page, problem, type Refusal, refusalOf } from "../oauth/pages/page.ts";
import type { Captcha } from "./config.ts";
import { requireHuman } from "./verify.ts";
import { captchaHeaders, captchaWidget, RESPONSE } from "./widget.ts";

const STAGE = "m.login.recaptcha";

/** Throws M_NOT_FOUND where there is none. */
function captchaOf({ config }: Context): Captcha {
  if (!config.captcha)
    throw matrixError(
      "M_NOT_FOUND",
      "There is no page for this stage: nobody has to show here that they are no robot.",
    );
  return config.captcha;
}

export async function showCaptchaStage(ctx: Context, session: string, refusal?: Refusal): Promise<Answer> {
  const captcha = captchaOf(ctx);
  await requireWaiting(ctx, session);
  return page(ctx, {
    title: "Before you go on",
    status: refusal?.status ?? 200,
    headers: captchaHeaders(captcha),
    content: html`${problem(refusal?.problem)}
      <p>Show that you are no robot.</p>
      <form method="post" action="/_matrix/client/v3/auth/${STAGE}/fallback/web">
        ${hidden("session", session)} ${captchaWidget(captcha)}
        <p><button>Continue</button></p>
      </form>`,
  });
}

/** Each try asks the provider, so it counts as one to register. */
export async function solveCaptcha(ctx: Context, sent: Form, address: string): Promise<Answer> {
  const session = sent("session");
  const captcha = captchaOf(ctx);
  await requireWaiting(ctx, session);
  try {
    await ctx.rates.admit("register", address);
    await requireHuman(ctx, captcha, sent(RESPONSE));
    await completeStage(ctx, session, { [STAGE]: "" });
  } catch (thrown) {
    return showCaptchaStage(ctx, session, refusalOf(thrown));
  }
  return donePage(ctx);
}
