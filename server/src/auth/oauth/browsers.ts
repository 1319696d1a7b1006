/**
 * Who a browser is, for the pages of the authorisation server and the legacy single sign-on. Whatever proves who somebody is
 * (the password here, an identity provider elsewhere) ends with `signInBrowser`, and from then on every page knows them by a
 * cookie. It is over after `limits.browserSession_ms`, on signing out, and when all sessions of the account are ended.
 */
import type { IncomingHttpHeaders } from "node:http";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { refuseForeignOrigin } from "../../console/bff/guard.ts";
import { matrixError } from "../../errors.ts";
import { refuseInMaintenance } from "../../system/maintenance.ts";
import { tokenHash } from "../tokens.ts";
import { issuerOf } from "./addresses.ts";
import { isOfConsole } from "./pages/next.ts";

const ID_BYTES = 32;

export interface Browser {
  userId: string;
  /** When the person proved who they are, by the database's clock. */
  since_s: number;
  /** Whether that was within `limits.oauthApproval_ms`. */
  isRecent: boolean;
  /** Where a provider let them in: what it ends when it ends that. See auth/sso/sessions.ts. */
  login: number | null;
  /** What forms of this browser carry, and nobody else can know. */
  formToken: string;
}

interface Asked {
  headers: IncomingHttpHeaders;
}

/** Over https the name binds the cookie to this very host and to https. */
function cookieName(ctx: Context): string {
  return isSecure(ctx) ? "__Host-parley-account" : "parley-account";
}

function isSecure(ctx: Context): boolean {
  return issuerOf(ctx).startsWith("https:");
}

/** A cookie's value; undefined where the browser sent none. */
export function readCookie({ headers }: Asked, name: string): string | undefined {
  const pairs = (headers.cookie ?? "").split(";").map((each) => each.trim());
  return pairs.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
}

/** Who the browser is that asks; undefined where nobody has signed in with it, or that is over. */
export async function whoIs(ctx: Context, asked: Asked): Promise<Browser | undefined> {
  const id = readCookie(asked, cookieName(ctx));
  if (id === undefined) return undefined;
  const row = await ctx.db.auth.one<Omit<Browser, "formToken">>(
    `select b.user_id as "userId", floor(extract(epoch from b.created_at))::bigint as since_s,
       b.created_at > now() - $2 * interval '1 millisecond' as "isRecent",
       b.sso_login as login
     from auth.browser_sessions b join auth.accounts a on a.user_id = b.user_id
     where b.id_hash = $1 and b.expires_at > now() and b.session_endings = a.session_endings
       and a.deactivated_at is null and a.suspended_at is null`,
    [tokenHash(id), limits.oauthApproval_ms],
  );
  return row && { ...row, formToken: formTokenOf(id) };
}

/** Somebody whom a provider let in. */
export interface LetIn {
  userId: string;
  login: number;
  /** When the provider asked them who they are, in seconds since 1970; undefined where it does not say. */
  proved_s: number | undefined;
}

/** A sign-in of the last minutes, as another part of this server may take it for its own. */
export interface FreshSignIn {
  userId: string;
  /** How often all sessions of the account had been ended by then. */
  endings: number;
  login: number | null;
  /** How long ago the person showed who they are; null where a provider let them in that does not say when it asked. */
  proved_ago_ms: number | null;
}

/** Who has signed this browser in within `limits.consoleSignIn_ms`; undefined where nobody has. */
export async function freshSignIn(ctx: Context, asked: Asked): Promise<FreshSignIn | undefined> {
  const id = readCookie(asked, cookieName(ctx));
  if (id === undefined) return undefined;
  return ctx.db.auth.one<FreshSignIn>(
    `select b.user_id as "userId", b.session_endings as endings, b.sso_login as login,
       floor(extract(epoch from case when b.proved_at > now() then interval '0' else now() - b.proved_at end) * 1000)::bigint
         as "proved_ago_ms"
     from auth.browser_sessions b join auth.accounts a on a.user_id = b.user_id
     where b.id_hash = $1 and b.expires_at > now() and b.session_endings = a.session_endings
       and b.created_at > now() - $2 * interval '1 millisecond'`,
    [tokenHash(id), limits.consoleSignIn_ms],
  );
}

/** The headers that sign the browser in as somebody who has just proved that they are. Throws M_FORBIDDEN for an account that may not. */
export async function signInBrowser(ctx: Context, asked: Asked, who: string | LetIn): Promise<Record<string, string>> {
  const { userId, login, proved_s } = typeof who === "string" ? { userId: who, login: null, proved_s: undefined } : who;
  await signOutBrowser(ctx, asked);
  const id = randomToken(ctx.seams, ID_BYTES);
  const made = await ctx.db.auth.change(
    `insert into auth.browser_sessions (id_hash, user_id, session_endings, expires_at, sso_login, proved_at)
     select $1, a.user_id, a.session_endings, now() + $3 * interval '1 millisecond', $4,
       case when $4::bigint is null then now() else to_timestamp($5) end
     from auth.accounts a where a.user_id = $2 and a.deactivated_at is null and a.suspended_at is null`,
    [tokenHash(id), userId, limits.browserSession_ms, login, proved_s ?? null],
  );
  if (made === 0) throw matrixError("M_FORBIDDEN", "This account is suspended by the operators of this server.");
  return cookie(ctx, id);
}

/** The headers that make the browser nobody's. */
export async function signOutBrowser(ctx: Context, asked: Asked): Promise<Record<string, string>> {
  const id = readCookie(asked, cookieName(ctx));
  if (id !== undefined)
    await ctx.db.auth.change("delete from auth.browser_sessions where id_hash = $1", [tokenHash(id)]);
  return cookie(ctx, undefined);
}

/** Lax: the pages are where the applications of others send people. What changes something asks for more: `refuseForeignForm`. */
function cookie(ctx: Context, id: string | undefined): Record<string, string> {
  const ends = id === undefined ? "; Max-Age=0" : "";
  const secure = isSecure(ctx) ? "; Secure" : "";
  return { "set-cookie": `${cookieName(ctx)}=${id ?? ""}; Path=/; HttpOnly; SameSite=Lax${secure}${ends}` };
}

function formTokenOf(id: string): string {
  return createHmac("sha256", id).update("parley account form").digest("base64url");
}

/** Throws IO_PARLEY_CSRF where a form does not come from a page of ours that this browser was given. */
export function refuseForeignForm(ctx: Context, asked: Asked, sent: { browser?: Browser; token?: string } = {}): void {
  refuseForeignOrigin(ctx, asked, issuerOf(ctx));
  if (!sent.browser) return;
  const [given, right] = [Buffer.from(sent.token ?? ""), Buffer.from(sent.browser.formToken)];
  if (given.length !== right.length || !timingSafeEqual(given, right))
    throw matrixError("IO_PARLEY_CSRF", "This page is from an earlier sign-in. Open it again.");
}

/**
 * Throws IO_PARLEY_MAINTENANCE while nobody can sign in, with this API as with the other. Who goes on to the console may: it is there that
 * maintenance is ended, and what else a browser's session opens asks again.
 */
export function refuseNewSessions(ctx: Context, next?: string): void {
  if (next === undefined || !isOfConsole(next)) refuseInMaintenance(ctx, "POST", "/_matrix/client/v3/login");
}
