/**
 * The page that signs in for a client that does not know how: it opens the page in a web view, and is given the answer of `POST /login`.
 * Specification: client-server-api, "Login Fallback".
 */
import { type Route, route } from "../../http.ts";
import { passwordField, userField } from "../oauth/pages/fields.ts";
import { fileAt } from "../oauth/pages/file.ts";
import { html, page } from "../oauth/pages/page.ts";

const PATH = "/_matrix/static/client/login";
const SCRIPT = `${PATH}/login.js`;

const showLogin = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  handle: (_request, ctx) =>
    page(ctx, {
      title: "Sign in",
      script: SCRIPT,
      content: html`
        <p class="problem" role="alert" hidden></p>
        <form method="post" hidden>
          ${userField(undefined)} ${passwordField("Password", { isNeeded: true })}
          <button type="submit">Sign in</button>
        </form>
        <p hidden><a class="button second" href="/_matrix/client/v3/login/sso/redirect">Sign in another way</a></p>
        <noscript><p>This page needs JavaScript.</p></noscript>
      `,
    }),
});

const script = fileAt(SCRIPT, { file: new URL("login.js", import.meta.url), type: "text/javascript" });

export const loginPageRoutes: readonly Route[] = [showLogin, script];
