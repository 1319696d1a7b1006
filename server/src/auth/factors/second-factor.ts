/** The second factor of accounts that have one: what comes after the password. */
import type { Context } from "../../context.ts";
import { type MatrixError, matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { addressOf, paths } from "../oauth/addresses.ts";
import { listPasskeys, removePasskeys } from "./passkeys.ts";
import { removeRecoveryCodes, useRecoveryCode } from "./recovery-codes.ts";
import { hasSecondFactor, removeTotp, useTotp } from "./totp.ts";

/**
 * Throws M_FORBIDDEN unless `code` is one of the person's app, or one of their recovery codes; it is used up then. Every try counts, and
 * before anything is looked at: with six digits the number of guesses is all that protects. Only who knows the password comes here, so
 * that nobody else can keep the person out by it. Throws M_LIMIT_EXCEEDED.
 */
export async function proveSecondFactor(
  ctx: Context,
  { userId, code }: { userId: string; code: string },
): Promise<void> {
  await ctx.rates.admit("secondFactor", userId);
  const plain = code.slice(0, limits.factorCode_characters).replaceAll(/\s/g, "");
  if (await useTotp(ctx, { userId, code: plain })) return;
  if (await useRecoveryCode(ctx, userId, plain)) return;
  throw matrixError("M_FORBIDDEN", "The code is not right, or was used already.");
}

/** What an application is told that has the password alone. */
export function needsBrowser(ctx: Context): MatrixError {
  const sentence =
    "This account has a second factor, which this way of signing in can not ask for. Sign in through the browser: choose single sign-on in your application.";
  return matrixError("M_FORBIDDEN", sentence, {
    fields: { "io.parley.second_factor": { sign_in: addressOf(ctx, paths.signIn) } },
  });
}

/** What signs an account in besides or after its password. */
export interface Factors {
  passkeys: number;
  hasSecondFactor: boolean;
}

export async function factorsOf(ctx: Context, userId: string): Promise<Factors> {
  const [passkeys, isProtected] = await Promise.all([listPasskeys(ctx, userId), hasSecondFactor(ctx, userId)]);
  return { passkeys: passkeys.length, hasSecondFactor: isProtected };
}

/** Gives what there was. Takes everything that signs the person in besides or after their password. */
export async function removeFactors(ctx: Context, userId: string): Promise<Factors> {
  const hadSecondFactor = await removeTotp(ctx, userId);
  await removeRecoveryCodes(ctx, userId);
  await ctx.db.auth.change("delete from auth.half_sign_ins where user_id = $1", [userId]);
  return { passkeys: await removePasskeys(ctx, userId), hasSecondFactor: hadSecondFactor };
}
