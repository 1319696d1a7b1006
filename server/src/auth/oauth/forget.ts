/** Rounds of the OAuth 2.0 API, in every process of the role auth: what has expired is forgotten, and the ring of keys moves on. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { startRounds } from "../../rounds.ts";
import { forgetSso } from "../sso/sessions.ts";

/** The rows that each statement removes at the most; `$1` is how many. Other processes' removals are passed over. */
const FORGOTTEN = [
  `delete from auth.oauth_state where (kind, id_hash) in (
     select kind, id_hash from auth.oauth_state where expires_at < now() limit $1 for update skip locked)`,
  `delete from auth.browser_sessions where id_hash in (
     select id_hash from auth.browser_sessions where expires_at < now() limit $1 for update skip locked)`,
  `delete from auth.oauth_approvals where (user_id, action) in (
     select user_id, action from auth.oauth_approvals where expires_at < now() limit $1 for update skip locked)`,
  `delete from auth.passkey_challenges where challenge_hash in (
     select challenge_hash from auth.passkey_challenges where expires_at < now() limit $1 for update skip locked)`,
  `delete from auth.half_sign_ins where id_hash in (
     select id_hash from auth.half_sign_ins where expires_at < now() limit $1 for update skip locked)`,
];

/** Nobody can sign in for a client in the moment in which it goes: who begins has registered just before. */
const UNUSED_CLIENTS = `delete from auth.oauth_clients where client_id in (
  select c.client_id from auth.oauth_clients c
  where c.used_at < now() - $2 * interval '1 millisecond'
    and not exists (select 1 from auth.oauth_sessions s where s.client_id = c.client_id)
  limit $1 for update skip locked)`;

export async function forgetExpired(ctx: Context): Promise<void> {
  for (const statement of FORGOTTEN) await ctx.db.auth.change(statement, [limits.oauthForgotten]);
  await ctx.db.auth.change(UNUSED_CLIENTS, [limits.oauthForgotten, limits.oauthClientUnused_ms]);
  await forgetSso(ctx);
}

export function startOAuthRounds(ctx: Context): () => Promise<void> {
  const wait_ms = () => limits.oauthForget_ms;
  const act = async () => {
    await forgetExpired(ctx);
    await ctx.signingKeys.rotate();
  };
  return startRounds(ctx, { wait_ms, act, failed: "what OAuth 2.0 has left behind could not be forgotten" });
}
