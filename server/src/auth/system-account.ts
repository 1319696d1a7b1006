/** Accounts that the server has for itself: nobody can sign in to them, and no person can have taken their names, which begin with _. */
import { changeProfile } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { accountExists } from "./queries.ts";

/** Gives the user id of the account, which is made when it is asked for first. */
export async function systemAccount(
  ctx: Context,
  { localpart, displayname }: { localpart: `_${string}`; displayname: string },
): Promise<string> {
  const userId = `@${localpart}:${ctx.config.serverName}`;
  if (await accountExists(ctx, userId)) return userId;
  await ctx.db.auth.one("select auth.create_account($1, null, null) as outcome", [userId]);
  await changeProfile(ctx, userId, { field: "displayname", value: displayname });
  return userId;
}
