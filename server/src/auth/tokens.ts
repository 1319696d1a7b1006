/** The secrets that prove who somebody is: random texts, of which the database has only the SHA-256. */
import { hash } from "node:crypto";
import { randomToken, type Seams } from "../seams.ts";

const PREFIX = {
  access: "pat_",
  refresh: "prt_",
  login: "plt_",
  stream: "pst_",
  bot: "pbt_",
  hook: "phk_",
  scim: "psc_",
  openid: "pot_",
  /** Lends a file to another process: media/lent/. */
  lent: "pml_",
  /** The refresh token of a session that the OAuth 2.0 API made. */
  oauth: "por_",
  registration: "",
} as const;
const TOKEN_BYTES = 32;

/** A new token. Its prefix lets a scanner for leaked secrets name it; 32 random bytes follow. */
export function newToken(seams: Seams, kind: keyof typeof PREFIX): string {
  return PREFIX[kind] + randomToken(seams, TOKEN_BYTES);
}

/** What stands in the database for a token. A look-up by it tells nothing about the token through its timing. */
export function tokenHash(token: string): Buffer {
  return hash("sha256", hashed(token), "buffer");
}

/** The same in base64, as it is looked up for each request. */
export function tokenKey(token: string): string {
  return hash("sha256", hashed(token), "base64");
}

/**
 * A version from before there were scopes would take a bot's token for one that may do everything: it hashes the token itself, and so
 * finds nothing.
 */
function hashed(token: string): string {
  return token.startsWith(PREFIX.bot) ? `scoped ${token}` : token;
}
