/**
 * What came of sign-ins by a provider, so that it can end them. A login is written down when the provider has let somebody in; the
 * browser's session, login tokens, grants and the sessions of devices that come of it name it.
 */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { afterEnding } from "../end-sessions.ts";
import { tokenHash } from "../tokens.ts";
import type { Identity } from "./identity.ts";

/** Writes down that the provider let somebody in; gives the id of the login. */
export async function beginLogin(ctx: Context, userId: string, identity: Identity): Promise<number> {
  const { issuer, clientId, subject, sid } = identity;
  const row = await ctx.db.auth.one<{ loginId: number }>(
    `with used as (update auth.external_ids set used_at = now() where issuer = $2 and subject = $4)
     insert into auth.sso_logins (user_id, issuer, client_id, subject, sid) values ($1, $2, $3, $4, $5)
     returning login_id as "loginId"`,
    [userId, issuer, clientId, subject, sid ?? null],
  );
  if (!row) throw new Error("a login was not written down");
  return row.loginId;
}

/** What a person allowed an application in a browser in which a provider let them in. */
export async function noteGrant(ctx: Context, grantId: string, login: number | null): Promise<void> {
  if (login === null) return;
  await ctx.db.auth.change("insert into auth.sso_grants (grant_id, login_id) values ($1, $2)", [grantId, login]);
}

/** What let somebody in by whom another client is let in now: one end is that of both. */
export async function loginOfSession(ctx: Context, sessionId: number): Promise<number | null> {
  const sql = `select login_id as "loginId" from auth.sso_sessions where session_id = $1`;
  return (await ctx.db.auth.one<{ loginId: number }>(sql, [sessionId]))?.loginId ?? null;
}

/** Whether the provider has ended it; one that is not known any more counts as ended, and none (null) never does. */
export async function hasLoginEnded(ctx: Context, login: number | null): Promise<boolean> {
  if (login === null) return false;
  const sql = "select 1 from auth.sso_logins where login_id = $1 and ended_at is null";
  return (await ctx.db.auth.one<object>(sql, [login])) === undefined;
}

export interface Ending {
  issuer: string;
  clientId: string;
  /** One of the two at least; both where both are given. */
  subject: string | undefined;
  sid: string | undefined;
  /** `jti` of the logout token. */
  tokenId: string;
}

/** Ends what came of these logins, on every replica. False where the token was used before. */
export async function endLogins(ctx: Context, ending: Ending): Promise<boolean> {
  const { issuer, clientId, subject, sid, tokenId } = ending;
  const rows = await ctx.db.auth.query<{
    outcome: "ended" | "replayed";
    userId: string;
    deviceIds: string[];
    position: number | null;
  }>(
    `select outcome, user_id as "userId", device_ids as "deviceIds", position from auth.sso_end($1, $2, $3, $4, $5, $6)`,
    [issuer, clientId, subject ?? null, sid ?? null, tokenHash(tokenId), limits.ssoLogoutKept_ms],
  );
  if (rows.some(({ outcome }) => outcome === "replayed")) return false;
  for (const row of rows) await afterEnding(ctx, row.userId, row);
  return true;
}

/** The rows that each statement removes at the most; `$1` is how many. */
const FORGOTTEN = [
  `delete from auth.sso_steps where id_hash in (
     select id_hash from auth.sso_steps where expires_at < now() limit $1 for update skip locked)`,
  `delete from auth.sso_logout_tokens where (issuer, id_hash) in (
     select issuer, id_hash from auth.sso_logout_tokens where expires_at < now() limit $1 for update skip locked)`,
];

const UNUSED_LOGINS = `delete from auth.sso_logins where login_id in (
  select l.login_id from auth.sso_logins l
  where l.created_at < now() - $2 * interval '1 millisecond'
    and not exists (select 1 from auth.sso_sessions s where s.login_id = l.login_id)
    and not exists (select 1 from auth.browser_sessions b where b.sso_login = l.login_id)
  limit $1 for update skip locked)`;

/** What has expired, and logins of which nothing is left. */
export async function forgetSso(ctx: Context): Promise<void> {
  for (const statement of FORGOTTEN) await ctx.db.auth.change(statement, [limits.oauthForgotten]);
  await ctx.db.auth.change(UNUSED_LOGINS, [limits.oauthForgotten, limits.ssoLogin_ms]);
}
