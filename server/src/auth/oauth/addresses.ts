/** Where the authorisation server is. Its pages and endpoints are below /oauth2, at the issuer's address. */
import type { Context } from "../../context.ts";

/** The issuer, which ends with a slash: AUTH_ISSUER, or the public address. */
export function issuerOf(ctx: Pick<Context, "config" | "publicUrl">): string {
  return `${ctx.config.authIssuer ?? ctx.publicUrl()}/`;
}

/** A path of it, such as /oauth2/token, as a whole address. */
export function addressOf(ctx: Pick<Context, "config" | "publicUrl">, path: string): string {
  return issuerOf(ctx).slice(0, -1) + path;
}

export const paths = {
  authorize: "/oauth2/authorize",
  token: "/oauth2/token",
  revoke: "/oauth2/revoke",
  keys: "/oauth2/keys",
  device: "/oauth2/device",
  link: "/oauth2/link",
  interaction: "/oauth2/interaction",
  signIn: "/oauth2/sign-in",
  signOut: "/oauth2/sign-out",
  register: "/oauth2/register",
  account: "/oauth2/account",
  sso: "/oauth2/sso",
  upstream: "/oauth2/upstream",
  style: "/oauth2/pages.css",
  signInCode: "/oauth2/sign-in/code",
  signInPasskey: "/oauth2/sign-in/passkey",
  passkeyOptions: "/oauth2/sign-in/passkey/options",
  passkeyScript: "/oauth2/passkeys.js",
  waitingScript: "/oauth2/waiting.js",
  factors: "/oauth2/account/factors",
  newPasskeyOptions: "/oauth2/account/factors/passkey/options",
} as const;
