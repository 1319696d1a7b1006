/** The last page of a stage of user-interactive authentication. Specification: client-server-api, "Fallback". */
import { createHash } from "node:crypto";
import type { Context } from "../../../context.ts";
import type { Answer } from "../../../http.ts";
import { Html, html, page } from "./page.ts";

/** Whoever opened the page is told. It is the one script of this page, and allowed by its hash. */
const DONE = `if(window.onAuthDone)window.onAuthDone();else if(window.opener&&window.opener.postMessage)window.opener.postMessage("authDone","*");`;
const DONE_HASH = createHash("sha256").update(DONE).digest("base64");
const DONE_SCRIPT = new Html(`<script>${DONE}</script>`);

const POLICY = `default-src 'none'; style-src 'self'; script-src 'sha256-${DONE_HASH}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`;

export function donePage(ctx: Context): Answer {
  return page(ctx, {
    title: "Thank you",
    headers: { "content-security-policy": POLICY },
    content: html`<p>Go back to your application. You can close this page.</p>
      ${DONE_SCRIPT}`,
  });
}
