/** What imports ask about accounts. */
import type { Context } from "../context.ts";

/** Whether the account is in use by nobody yet: it has neither a password nor a session. */
export async function isWithoutPassword(ctx: Context, userId: string): Promise<boolean> {
  const sql = `select 1 from auth.accounts a where a.user_id = $1 and a.password_hash is null and a.deactivated_at is null
    and not exists (select from auth.sessions s where s.user_id = a.user_id)`;
  return (await ctx.db.auth.one(sql, [userId])) !== undefined;
}
