/** Tokens of bots: sessions with scopes, which end when they are revoked or when their time is over. */
import type { Context } from "../context.ts";
import { beginProfile } from "../account/profile.ts";
import { listPerson } from "../directory/people.ts";
import { matrixError } from "../errors.ts";
import { randomToken } from "../seams.ts";
import { accountExists } from "./queries.ts";
import { newToken, tokenHash } from "./tokens.ts";
import { newUserId } from "./user-names.ts";

/** Makes an account that nobody can sign in to, and gives its user id. Throws M_USER_IN_USE and M_INVALID_USERNAME. */
export async function createBotAccount(ctx: Context, username: string): Promise<string> {
  const userId = newUserId(ctx, username);
  const taken = () => matrixError("M_USER_IN_USE", "This user name is taken.");
  if (await accountExists(ctx, userId)) throw taken();
  // Before the account is there, so that no account is ever missing in the directory or without a name.
  await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
  const row = await ctx.db.auth.one<{ outcome: string }>("select auth.create_account($1, null, null) as outcome", [
    userId,
  ]);
  if (row?.outcome !== "created") throw taken();
  return userId;
}

export interface NewBotToken {
  userId: string;
  name: string;
  scopes: readonly string[];
  lifetime_ms: number | undefined;
}

/** Gives the id of the token, which is that of its device, and the token: nowhere else does it stand in full. */
export async function issueBotToken(ctx: Context, { userId, name, scopes, lifetime_ms }: NewBotToken) {
  const token = newToken(ctx.seams, "bot");
  const tokenId = `BOT_${randomToken(ctx.seams, 6).replace(/[-_]/g, "x")}`;
  const row = await ctx.db.auth.one<{ session: number | null }>(
    "select auth.issue_token($1, $2, $3, $4, $5, $6) as session",
    [userId, tokenId, name, scopes, tokenHash(token), lifetime_ms ?? null],
  );
  if (row?.session == null)
    throw matrixError("M_FORBIDDEN", "This account may not sign in: it is suspended or deactivated.");
  return { tokenId, token };
}

export interface BotToken {
  token_id: string;
  name: string | null;
  scopes: string[];
  created_ts: number;
  /** When the newest secret of it was made. */
  rotated_ts: number;
  /** Null where it was never used; some minutes old at most. */
  last_used_ts: number | null;
  last_used_address: string | null;
  expires_ts: number | null;
  /** Until when the secret before the newest works too. */
  overlap_until_ts: number | null;
}

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;

/** The live tokens of these bots, the oldest first. */
export function listBotTokens(ctx: Context, userIds: readonly string[]): Promise<(BotToken & { user_id: string })[]> {
  return ctx.db.auth.query(
    `select s.user_id, s.device_id as token_id, s.display_name as name, s.scopes, ${millis("s.created_at")} as created_ts,
       ${millis("n.created_at")} as rotated_ts, ${millis("n.expires_at")} as expires_ts,
       case when s.last_seen_address is not null then ${millis("s.last_seen_at")} end as last_used_ts, s.last_seen_address as last_used_address,
       (select ${millis("max(o.expires_at)")} from auth.tokens o
        where o.session_id = s.session_id and o.access_hash <> n.access_hash and o.expires_at > now()) as overlap_until_ts
     from auth.sessions s
       join lateral (select * from auth.tokens t where t.session_id = s.session_id order by t.created_at desc limit 1) n on true
     where s.user_id = any ($1) and s.scopes is not null order by s.session_id`,
    [userIds],
  );
}

/**
 * Gives a new secret for the token. The one before works for `overlap_ms` more; with 0 it ends at once, everywhere. Throws M_NOT_FOUND
 * where there is no such token.
 */
export async function rotateBotToken(
  ctx: Context,
  {
    userId,
    tokenId,
    overlap_ms,
    lifetime_ms,
  }: { userId: string; tokenId: string; overlap_ms: number; lifetime_ms: number | undefined },
): Promise<string> {
  const token = newToken(ctx.seams, "bot");
  const row = await ctx.db.auth.one<{ is_known: boolean; ended: number | null }>(
    "select is_known, ended from auth.rotate_token($1, $2, $3, $4, $5)",
    [userId, tokenId, tokenHash(token), overlap_ms, lifetime_ms ?? null],
  );
  if (!row?.is_known) throw matrixError("M_NOT_FOUND", "This bot has no such token.");
  if (row.ended !== null) await ctx.log.reached(row.ended);
  return token;
}
