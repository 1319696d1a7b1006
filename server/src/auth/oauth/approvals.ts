/** What a person has allowed on the account page for a moment: `m.oauth` of user-interactive authentication rests on it. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";

export type Approvable = "org.matrix.cross_signing_reset";

/** Lets the person do it once, within `limits.oauthApproval_ms`. */
export async function approve(ctx: Context, userId: string, action: Approvable): Promise<void> {
  await ctx.db.auth.change(
    `insert into auth.oauth_approvals (user_id, action, expires_at) values ($1, $2, now() + $3 * interval '1 millisecond')
     on conflict (user_id, action) do update set expires_at = excluded.expires_at`,
    [userId, action, limits.oauthApproval_ms],
  );
}

/** Uses the approval up; gives whether there was one. */
export async function useApproval(ctx: Context, userId: string, action: Approvable): Promise<boolean> {
  const used = await ctx.db.auth.change(
    "delete from auth.oauth_approvals where user_id = $1 and action = $2 and expires_at > now()",
    [userId, action],
  );
  return used > 0;
}
