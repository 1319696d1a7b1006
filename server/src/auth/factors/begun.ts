/**
 * A browser in which somebody has begun to sign in: a cookie that what comes next is bound to, be it the challenge of a passkey or the
 * code after the password. It says nothing of who they are.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../../context.ts";
import { randomToken } from "../../seams.ts";
import { issuerOf } from "../oauth/addresses.ts";
import { readCookie } from "../oauth/browsers.ts";
import { tokenHash } from "../tokens.ts";

const ID_BYTES = 32;

export interface Begun {
  /** The SHA-256 of the cookie. */
  hash: Buffer;
  /** What gives it to the browser. */
  headers: Record<string, string>;
}

interface Asked {
  headers: IncomingHttpHeaders;
}

/** Over https the name binds the cookie to this very host and to https. */
function cookieName(ctx: Context): string {
  return isSecure(ctx) ? "__Host-parley-begun" : "parley-begun";
}

function isSecure(ctx: Context): boolean {
  return issuerOf(ctx).startsWith("https:");
}

/** The SHA-256 of the browser's cookie; undefined where it has none. */
export function begunHash(ctx: Context, asked: Asked): Buffer | undefined {
  const id = readCookie(asked, cookieName(ctx));
  return id === undefined ? undefined : tokenHash(id);
}

/** A cookie that nobody knew before. Lax: a person comes here from the application that they sign in to. */
export function begin(ctx: Context): Begun {
  const id = randomToken(ctx.seams, ID_BYTES);
  const secure = isSecure(ctx) ? "; Secure" : "";
  const cookie = `${cookieName(ctx)}=${id}; Path=/; HttpOnly; SameSite=Lax${secure}`;
  return { hash: tokenHash(id), headers: { "set-cookie": cookie } };
}
