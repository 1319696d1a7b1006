/** The one-time link that makes the first administrator. */
import type { Context } from "../context.ts";
import { serves } from "../roles.ts";
import { newToken, tokenHash } from "./tokens.ts";

/**
 * The link, while there is no administrator: who registers through it becomes one, whatever PARLEY_REGISTRATION says. It works
 * once; each call makes a new one and withdraws those before it. Undefined where there is an administrator, or where this
 * process does not sign people in.
 */
export async function administratorLink(ctx: Context): Promise<string | undefined> {
  if (!serves(ctx.config.roles, "auth")) return undefined;
  const token = newToken(ctx.seams, "registration");
  const made = await ctx.db.auth.one(
    `with withdrawn as (delete from auth.registration_tokens where makes_admin and uses = 0)
     insert into auth.registration_tokens (token_hash, uses_allowed, makes_admin)
     select $1, 1, true where not exists (select 1 from auth.accounts where is_admin)
     returning 1`,
    [tokenHash(token)],
  );
  return made && `${ctx.publicUrl()}/register?token=${token}`;
}
