/**
 * Where PARLEY_OPERATORS_SECOND_FACTOR is `required`, an operator's password alone opens neither the console nor the operator API: there
 * have to be codes from an app. An account without a password is let in by a passkey or a provider, and owes nothing more. The shell
 * asks for none of it, so that nobody is locked out: see docs/operations/second-factors.md.
 */
import { hasSecondFactor } from "../auth/factors/totp.ts";
import { addressOf, paths } from "../auth/oauth/addresses.ts";
import { hasPassword } from "../auth/passwords.ts";
import type { Context } from "../context.ts";
import { type MatrixError, matrixError } from "../errors.ts";

/** Whether the operator has to set a second factor up first. */
export async function owesSecondFactor(ctx: Context, userId: string): Promise<boolean> {
  if (!ctx.config.operatorsNeedSecondFactor || (await hasSecondFactor(ctx, userId))) return false;
  return hasPassword(ctx, userId);
}

/** What such an operator is told, with the page on which that is done. */
export function secondFactorOwed(ctx: Context): MatrixError {
  const page = addressOf(ctx, paths.factors);
  const sentence = `Operators of this server need a second factor, and this account has none: set up codes from an app at ${page}, then sign in again.`;
  return matrixError("M_FORBIDDEN", sentence, { fields: { "io.parley.second_factor": { set_up: page } } });
}
