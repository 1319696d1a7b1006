/**
 * The page behind a link in a mail. Opening it proves nothing, since programs that look for viruses open links too: a person presses the
 * button.
 */
import { route, type Route } from "../../http.ts";
import { refuseForeignOrigin } from "../../console/bff/guard.ts";
import { readForm } from "../oauth/forms.ts";
import { html, type Html, message, page, shown } from "../oauth/pages/page.ts";
import { CONFIRM, confirmLink, readLink, type Purpose } from "./validations.ts";

const WORDS: Readonly<Record<Purpose, [question: string, button: string, done: string]>> = {
  register: ["Make an account with this address?", "Yes, it is mine", "Go back to where you were registering."],
  password: ["Set a new password?", "Yes, that was me", "Go back to where you asked for a new password."],
  add: ["Add this address to your account?", "Add the address", "Go back to where you added it."],
};

const GONE = {
  title: "This link is no longer good",
  sentence: "It was replaced by a newer one, or is too old. Ask for another.",
};

const show = route({
  method: "GET",
  path: CONFIRM,
  access: "anyone",
  rate: "register",
  async handle({ query }, ctx) {
    const token = query["token"] ?? "";
    const found = await readLink(ctx, token);
    if (!found) return message(ctx, 404, GONE);
    const [question, button] = WORDS[found.purpose];
    return page(ctx, {
      title: question,
      content: html`<p>${found.address}</p>
        <form method="post" action="${CONFIRM}">
          <input type="hidden" name="token" value="${token}" />
          <p><button>${button}</button></p>
        </form>`,
    });
  },
});

const confirm = route({
  method: "POST",
  path: CONFIRM,
  access: "anyone",
  rate: "register",
  body: "stream",
  handle: shown(
    async (request: { headers: Parameters<typeof refuseForeignOrigin>[1]["headers"]; body: unknown }, ctx) => {
      refuseForeignOrigin(ctx, request);
      const found = await confirmLink(ctx, (await readForm(request.body))("token"));
      if (!found) return message(ctx, 404, GONE);
      const [, , done] = WORDS[found.purpose];
      return page(ctx, {
        title: "Confirmed",
        content: html`<p>${done}</p>
          ${onward(found.nextLink)}`,
      });
    },
  ),
});

/** Where the client wants its person to go next: a link with its host in sight, since anybody may ask for a mail with any. */
function onward(nextLink: string | null): Html | undefined {
  if (nextLink === null) return undefined;
  return html`<p><a href="${nextLink}" rel="noreferrer">Go on to ${new URL(nextLink).host}</a></p>`;
}

export const confirmRoutes: readonly Route[] = [show, confirm];
