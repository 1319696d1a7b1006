/** Recovery codes: each signs its person in once in the place of a code from their app. They are random, so that a hash keeps them. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { tokenHash } from "../tokens.ts";

/** Without what is read for another: 0 and o, 1, i and l. 79 bits in 16 of them. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LETTERS = 4;

/** Ten new codes; those of before are gone. This is the only time that anybody sees them. */
export async function makeRecoveryCodes(ctx: Context, userId: string): Promise<string[]> {
  const codes = Array.from({ length: limits.recoveryCodes }, () => newCode(ctx));
  await ctx.db.auth.transaction(async (db) => {
    await db.change("delete from auth.recovery_codes where user_id = $1", [userId]);
    await db.change("insert into auth.recovery_codes (user_id, code_hash) select $1, unnest($2::bytea[])", [
      userId,
      codes.map((code) => hashOf(code)),
    ]);
  });
  return codes;
}

function newCode(ctx: Context): string {
  const letter = () => LETTERS[ctx.seams.randomInt(LETTERS.length)];
  const group = () => Array.from({ length: GROUP_LETTERS }, letter).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}

/** However it is written: people leave hyphens out, and phones begin with a capital. */
function hashOf(code: string): Buffer {
  return tokenHash(code.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}

/** Uses the code up. Gives whether it was one. */
export async function useRecoveryCode(ctx: Context, userId: string, code: string): Promise<boolean> {
  const sql = "delete from auth.recovery_codes where user_id = $1 and code_hash = $2";
  return (await ctx.db.auth.change(sql, [userId, hashOf(code)])) > 0;
}

/** How many are left. */
export async function countRecoveryCodes(ctx: Context, userId: string): Promise<number> {
  const sql = "select count(*) as count from auth.recovery_codes where user_id = $1";
  return (await ctx.db.auth.one<{ count: number }>(sql, [userId]))?.count ?? 0;
}

export async function removeRecoveryCodes(ctx: Context, userId: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.recovery_codes where user_id = $1", [userId]);
}
