/**
 * The page behind a one-time link of an operator: a person sets the password of their account. It is a plain form without any script,
 * so that it works in whatever browser somebody has before they have anything else.
 */
import { ownerOfLink, setPasswordByLink } from "../auth/for-operators-acts.ts";
import { type Form, readForm } from "../auth/oauth/forms.ts";
import { hidden, newPasswordField } from "../auth/oauth/pages/fields.ts";
import { html, isForPeople, message, page, problem, type Refusal, refusalOf, shown } from "../auth/oauth/pages/page.ts";
import type { Context } from "../context.ts";
import { type Answer, type Request, route, type Route } from "../http.ts";
import { refuseForeignOrigin } from "./bff/guard.ts";

const PATH = "/api/v1/set-password";
const TITLE = "Set a password";

interface Given {
  token: string;
  userId: string;
  refusal?: Refusal;
}

function formPage(ctx: Context, { token, userId, refusal }: Given): Answer {
  return page(ctx, {
    title: TITLE,
    status: refusal?.status ?? 200,
    content: html`${problem(refusal?.problem)}
      <p>This sets the password of ${userId}. The link works once.</p>
      <form method="post" action="${PATH}">
        ${hidden("token", token)}
        <input type="hidden" autocomplete="username" name="username" value="${userId}" />
        ${newPasswordField(ctx, { name: "password", label: "New password" })}
        <p><button>Set the password</button></p>
      </form>`,
  });
}

function gone(ctx: Context): Answer {
  const sentence = "This link was used, or has expired. Ask whoever gave it to you for another.";
  return message(ctx, 404, { title: TITLE, sentence });
}

const show = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "register",
  async handle({ query }, ctx) {
    const token = typeof query["token"] === "string" ? query["token"] : "";
    const userId = await ownerOfLink(ctx, token);
    return userId === undefined ? gone(ctx) : formPage(ctx, { token, userId });
  },
});

type Sent = Pick<Request<unknown, unknown, undefined>, "headers" | "body">;

const set = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "register",
  body: "stream",
  handle: shown(async (request: Sent, ctx) => {
    refuseForeignOrigin(ctx, request);
    return setPassword(ctx, await readForm(request.body));
  }),
});

async function setPassword(ctx: Context, field: Form): Promise<Answer> {
  const token = field("token");
  const userId = await ownerOfLink(ctx, token);
  if (userId === undefined) return gone(ctx);
  try {
    await setPasswordByLink(ctx, token, field("password"));
  } catch (thrown) {
    if (isForPeople(thrown) && thrown.errcode === "M_FORBIDDEN") return gone(ctx);
    return formPage(ctx, { token, userId, refusal: refusalOf(thrown) });
  }
  return page(ctx, { title: TITLE, content: html`<p>The password is set. <a href="/login">Sign in</a></p>` });
}

export const setPasswordRoutes: readonly Route[] = [show, set];
