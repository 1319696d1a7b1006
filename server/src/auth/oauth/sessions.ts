/**
 * Sessions that the OAuth 2.0 API makes: each is a session as every other, with its device, that has a row in auth.oauth_sessions too.
 * Specification: client-server-api, "Grant types" and "Token revocation".
 *
 * A refresh token is `por_<family>.<secret>`. The family is the session's and stays the same; whoever brings a secret that is not valid
 * any more, of a family that lives, has a copy of what somebody else has used: the session ends.
 */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { endSessions } from "../end-sessions.ts";
import { openSession } from "../sign-in.ts";
import { newToken, tokenHash } from "../tokens.ts";
import { isSigned, lifetimeOf, makeAccessToken } from "./access-tokens.ts";
import { issuerOf } from "./addresses.ts";

const FAMILY_BYTES = 16;
const FAMILY = /^por_([\w-]+)\.[\w-]+$/;

/** What the token endpoint answers. RFC 6749, section 5.1. */
export interface TokenAnswer {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  refresh_token: string;
  scope: string;
}

/** What a person allowed a client. */
export interface Allowed {
  userId: string;
  deviceId: string;
  clientId: string;
  /** What others see as the device's name. */
  clientName: string;
  grantId: string;
  scope: string;
  address: string;
}

/** Signs the device in. Throws what signing in throws: the account may have been suspended meanwhile. */
export async function beginSession(ctx: Context, allowed: Allowed): Promise<TokenAnswer> {
  const family = randomToken(ctx.seams, FAMILY_BYTES);
  const pair = await newPair(ctx, allowed, family);
  await openSession(ctx, {
    userId: allowed.userId,
    deviceId: allowed.deviceId,
    chosenDeviceId: allowed.deviceId,
    open: (db) =>
      db.one(
        `select ended, is_new as "isNew", auth.sso_attach($1, $2, (select login_id from auth.sso_grants where grant_id = $9)) as "isOpen"
         from auth.oauth_sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [
          allowed.userId,
          allowed.deviceId,
          allowed.clientName,
          allowed.address,
          tokenHash(pair.answer.access_token),
          tokenHash(pair.answer.refresh_token),
          pair.lifetime_ms,
          allowed.clientId,
          allowed.grantId,
          allowed.scope,
          tokenHash(family),
        ],
      ),
  });
  return pair.answer;
}

async function newPair(
  ctx: Context,
  { userId, clientId, scope }: Pick<Allowed, "userId" | "clientId" | "scope">,
  family: string,
): Promise<{ answer: TokenAnswer; lifetime_ms: number }> {
  const lifetime_ms = lifetimeOf(ctx.controls.now().access_token_lifetime_s);
  const claims = { issuer: issuerOf(ctx), userId, clientId, scope, lifetime_ms };
  const answer: TokenAnswer = {
    access_token: await makeAccessToken({ keys: ctx.signingKeys, seams: ctx.seams }, claims),
    token_type: "Bearer",
    expires_in: Math.floor(lifetime_ms / 1_000),
    refresh_token: newToken(ctx.seams, "oauth").replace("por_", `por_${family}.`),
    scope,
  };
  return { answer, lifetime_ms };
}

interface SessionRow {
  userId: string;
  deviceId: string;
  clientId: string;
  scope: string;
}

const SESSION = `select s.user_id as "userId", s.device_id as "deviceId", o.client_id as "clientId", o.scope
  from auth.oauth_sessions o join auth.sessions s on s.session_id = o.session_id`;

/**
 * Two tabs of a client have the same pair, refresh it at the same time, and one of them uses what it got first. For a moment after its
 * successor was made the token before is good for another pair, which is valid beside that one: neither takes the session from the other.
 * RFC 9700, section 4.14.2.
 */
const AT_THE_SAME_TIME = `insert into auth.tokens (access_hash, refresh_hash, session_id, state, expires_at)
  select $2, $3, t.session_id, 'used', now() + $4 * interval '1 millisecond' from auth.tokens t
  where t.refresh_hash = $1 and t.state = 'retired' and exists (
    select from auth.tokens s
    where s.session_id = t.session_id and s.state = 'used' and s.created_at > now() - $5 * interval '1 millisecond')`;

/**
 * New tokens for a refresh token; undefined where it is not known, or another client's. One that is not valid any more ends its
 * session. Until the new pair is used the old one is good, so that a lost answer can be asked for again.
 */
export async function refreshSession(
  ctx: Context,
  { refreshToken, clientId }: { refreshToken: string; clientId: string },
): Promise<TokenAnswer | undefined> {
  const family = FAMILY.exec(refreshToken)?.[1];
  if (family === undefined) return undefined;
  const session = await ctx.db.auth.one<SessionRow>(`${SESSION} where o.family_hash = $1`, [tokenHash(family)]);
  if (session?.clientId !== clientId) return undefined;
  const { answer, lifetime_ms } = await newPair(ctx, session, family);
  const hashes = [refreshToken, answer.access_token, answer.refresh_token].map(tokenHash);
  const row = await ctx.db.auth.one<{ outcome: "refreshed" | "retired" | null }>(
    "select auth.refresh($1, $2, $3, $4) as outcome",
    [...hashes, lifetime_ms],
  );
  if (row?.outcome === "refreshed") return answer;
  if ((await ctx.db.auth.change(AT_THE_SAME_TIME, [...hashes, lifetime_ms, limits.oauthTwice_ms])) > 0) return answer;
  ctx.logger.warn({ userId: session.userId, deviceId: session.deviceId }, "a refresh token was used twice");
  await end(ctx, session);
  return undefined;
}

/** Ends the session that an access token or a refresh token is of. One that is not known is as good as ended. */
export async function revokeToken(ctx: Context, token: string): Promise<void> {
  const family = FAMILY.exec(token)?.[1];
  if (family !== undefined) await endWhere(ctx, "where o.family_hash = $1", tokenHash(family));
  else if (isSigned(token))
    await endWhere(
      ctx,
      "where o.session_id = (select t.session_id from auth.tokens t where t.access_hash = $1)",
      tokenHash(token),
    );
}

/** Ends the session of a grant, whose code was used twice. */
export function endGrant(ctx: Context, grantId: string): Promise<void> {
  return endWhere(ctx, "where o.grant_id = $1", grantId);
}

async function endWhere(ctx: Context, where: string, parameter: string | Buffer): Promise<void> {
  const session = await ctx.db.auth.one<SessionRow>(`${SESSION} ${where}`, [parameter]);
  if (session) await end(ctx, session);
}

function end(ctx: Context, { userId, deviceId }: SessionRow): Promise<void> {
  return endSessions(ctx, { userId, deviceIds: [deviceId] });
}

/** Whether the OAuth 2.0 API made the session. */
export async function isOAuthSession(ctx: Context, sessionId: number): Promise<boolean> {
  return (await ctx.db.auth.one("select 1 from auth.oauth_sessions where session_id = $1", [sessionId])) !== undefined;
}

/** Throws M_FORBIDDEN for a refresh token that belongs to the OAuth 2.0 API: the two can not be mixed. */
export function refuseOAuthToken(refreshToken: string): void {
  if (FAMILY.test(refreshToken))
    throw matrixError("M_UNKNOWN_TOKEN", "This refresh token is for the token endpoint of the OAuth 2.0 API.");
}
