/** Passwords: which may be set, and whether one is right. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { verifyPassword } from "./hashing.ts";

/** Throws M_WEAK_PASSWORD or M_INVALID_PARAM for a password that may not be set. */
export function checkNewPassword(ctx: Context, password: string): void {
  const least = ctx.controls.now().password_least_characters;
  if (password.length < least)
    throw matrixError("M_WEAK_PASSWORD", `The password is too short. Use at least ${least} characters.`);
  if (password.length > limits.password_characters)
    throw matrixError("M_INVALID_PARAM", `The password is longer than ${limits.password_characters} characters.`);
}

/**
 * Whether this is the account's password; gives the stored hash that it was checked against. A wrong one counts against the
 * address, whatever the account, and far more slowly against the account, whatever the address: somebody who guesses from elsewhere
 * keeps its person out only by a hundred guesses. An account that does not exist takes as long. Throws M_LIMIT_EXCEEDED after too many
 * wrong ones.
 */
export async function checkPassword(
  ctx: Context,
  { userId, password, address }: { userId: string; password: string; address: string },
): Promise<string | undefined> {
  await ctx.rates.check("accountGuessed", userId);
  await ctx.rates.check("loginFailed", address);
  const account = await ctx.db.auth.one<{ hash: string | null }>(
    "select password_hash as hash from auth.accounts where user_id = $1",
    [userId],
  );
  const stored = account?.hash ?? undefined;
  // Nobody can have set a longer one, and hashing it would be work for nothing.
  const candidate = password.slice(0, limits.password_characters + 1);
  if (await verifyPassword(ctx, candidate, stored)) return stored;
  await ctx.rates.admit("loginFailed", address);
  await ctx.rates.admit("accountGuessed", userId);
  return undefined;
}

/** Whether somebody can sign in to the account with a password at all. */
export async function hasPassword(ctx: Context, userId: string): Promise<boolean> {
  const sql = "select 1 from auth.accounts where user_id = $1 and password_hash is not null";
  return (await ctx.db.auth.one(sql, [userId])) !== undefined;
}
