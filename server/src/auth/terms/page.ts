/**
 * The page on which somebody accepts the policies for a client that does not show them itself. Specification: client-server-api, "Fallback".
 * Nothing but the session's id says whose it is: whoever knows that could as well complete the stage without the page, so a form that another
 * site sends can do nothing more.
 */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import type { Answer } from "../../http.ts";
import type { Form } from "../oauth/forms.ts";
import { donePage } from "../oauth/pages/done.ts";
import { hidden } from "../oauth/pages/fields.ts";
import { html, page, problem, type Refusal, refusalOf } from "../oauth/pages/page.ts";
import { completeStage, requireWaiting } from "../waiting.ts";
import { acceptedIn, policyFields, type Reader } from "./fields.ts";

const PATH = "/_matrix/client/v3/auth/m.login.terms/fallback/web";

interface Asking extends Reader {
  session: string;
  refusal?: Refusal;
}

/** Throws M_NOT_FOUND. */
function requirePolicies({ config }: Context): void {
  if (config.terms.length === 0)
    throw matrixError("M_NOT_FOUND", "There is no page for this stage: nothing has to be accepted here.");
}

export async function showTermsStage(ctx: Context, asking: Asking): Promise<Answer> {
  requirePolicies(ctx);
  await requireWaiting(ctx, asking.session);
  return page(ctx, {
    title: "Before you go on",
    status: asking.refusal?.status ?? 200,
    content: html`${problem(asking.refusal?.problem)}
      <p>An account on this server needs your word on what follows.</p>
      <form method="post" action="${PATH}">
        ${hidden("session", asking.session)} ${policyFields(ctx, asking)}
        <p><button>Continue</button></p>
      </form>`,
  });
}

/** What the person has sent: the stage is complete for the versions that were on the page. */
export async function acceptTerms(ctx: Context, { headers, sent }: Reader & { sent: Form }): Promise<Answer> {
  const session = sent("session");
  requirePolicies(ctx);
  await requireWaiting(ctx, session);
  try {
    const versions = acceptedIn(ctx, { headers, sent });
    await completeStage(ctx, session, { "m.login.terms": JSON.stringify(versions) });
  } catch (thrown) {
    return showTermsStage(ctx, { session, headers, sent, refusal: refusalOf(thrown) });
  }
  return donePage(ctx);
}
