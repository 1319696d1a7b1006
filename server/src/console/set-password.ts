/**
 * The page behind a one-time link of an operator: a person sets the password of their account. It is a plain form without any script,
 * so that it works in whatever browser somebody has before they have anything else.
 */
import type { Readable } from "node:stream";
import { ownerOfLink, setPasswordByLink } from "../auth/for-operators-acts.ts";
import { MatrixError, matrixError } from "../errors.ts";
import { Answer, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { refuseForeignOrigin } from "./bff/guard.ts";

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

function page(status: number, content: string): Answer {
  const payload = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Set a password</title></head><body><main><h1>Set a password</h1>
${content}
</main></body></html>
`;
  return new Answer({ status, headers: HEADERS, payload });
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function form(token: string, { userId, problem }: { userId: string; problem?: string }): string {
  return `${problem === undefined ? "" : `<p role="alert">${escaped(problem)}</p>`}
<p>This sets the password of ${escaped(userId)}. The link works once.</p>
<form method="post" action="/api/v1/set-password">
<input type="hidden" name="token" value="${escaped(token)}">
<input type="hidden" autocomplete="username" name="username" value="${escaped(userId)}">
<p><label>New password<br><input type="password" name="password" autocomplete="new-password" required minlength="${limits.passwordLeast_characters}" maxlength="${limits.password_characters}"></label></p>
<p><button>Set the password</button></p>
</form>`;
}

const GONE = "<p>This link was used, or has expired. Ask whoever gave it to you for another.</p>";

const show = route({
  method: "GET",
  path: "/api/v1/set-password",
  access: "anyone",
  rate: "register",
  async handle({ query }, ctx) {
    const token = typeof query["token"] === "string" ? query["token"] : "";
    const userId = await ownerOfLink(ctx, token);
    return userId === undefined ? page(404, GONE) : page(200, form(token, { userId }));
  },
});

const set = route({
  method: "POST",
  path: "/api/v1/set-password",
  access: "anyone",
  rate: "register",
  body: "stream",
  async handle(request, ctx) {
    refuseForeignOrigin(ctx, request);
    const fields = new URLSearchParams(await readForm(request.body as Readable));
    const [token, password] = [fields.get("token") ?? "", fields.get("password") ?? ""];
    const userId = await ownerOfLink(ctx, token);
    if (userId === undefined) return page(404, GONE);
    try {
      await setPasswordByLink(ctx, token, password);
    } catch (thrown) {
      return refused(thrown, { token, userId });
    }
    return page(200, `<p>The password is set. <a href="/login">Sign in</a></p>`);
  },
});

function refused(thrown: unknown, { token, userId }: { token: string; userId: string }): Answer {
  if (!(thrown instanceof MatrixError)) throw thrown as Error;
  if (thrown.errcode === "M_FORBIDDEN") return page(404, GONE);
  return page(thrown.status, form(token, { userId, problem: thrown.message }));
}

async function readForm(body: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let size_bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    size_bytes += piece.length;
    if (size_bytes > limits.passwordForm_bytes)
      throw matrixError("M_TOO_LARGE", "The form is larger than its fields can be.");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

export const setPasswordRoutes: readonly Route[] = [show, set];
