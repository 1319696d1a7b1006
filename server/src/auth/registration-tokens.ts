/** Registration tokens: who has one may register. Specification: client-server-api, "Token-authenticated registration". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { newToken, tokenHash } from "./tokens.ts";

/** Whether the token may be used now. While registration is off only one that makes an administrator may. */
export async function isUsableRegistrationToken(ctx: Context, hash: Buffer): Promise<boolean> {
  const row = await ctx.db.auth.one(
    `select 1 from auth.registration_tokens t
     where t.token_hash = $1 and auth.registration_token_valid(t) and (t.makes_admin or $2)`,
    [hash, ctx.controls.now().registration !== "off"],
  );
  return row !== undefined;
}

/** Whether a link for the first administrator is waiting to be used. */
export async function awaitsAdministrator(ctx: Context): Promise<boolean> {
  const row = await ctx.db.auth.one(
    "select 1 from auth.registration_tokens t where t.makes_admin and auth.registration_token_valid(t) limit 1",
  );
  return row !== undefined;
}

/** Throws M_FORBIDDEN where nobody can register, not even with a token. */
export async function refuseWhileOff(ctx: Context): Promise<void> {
  if (ctx.controls.now().registration === "off" && !(await awaitsAdministrator(ctx)))
    throw matrixError("M_FORBIDDEN", "Nobody can register on this server by themselves.");
}

export const registrationTokenValidity = route({
  method: "GET",
  path: "/_matrix/client/v1/register/m.login.registration_token/validity",
  access: "anyone",
  rate: "register",
  query: z.looseObject({ token: z.string() }),
  async handle({ query }, ctx) {
    await refuseWhileOff(ctx);
    return { valid: await isUsableRegistrationToken(ctx, tokenHash(query.token)) };
  },
});

/**
 * An administrator makes a token: how often and how long it works, by default once and for a week. The answer is the only
 * place where the token stands in full. Not in the specification.
 */
export const createRegistrationToken = route({
  method: "POST",
  path: "/_parley/v1/registration_tokens",
  access: "admin",
  rate: "other",
  body: z.object({
    uses_allowed: z.int().min(1).max(limits.registrationToken_uses).default(1),
    expires_in_ms: z.int().min(1).max(limits.registrationToken_ms).default(limits.registrationTokenDefault_ms),
  }),
  async handle({ body }, ctx) {
    const token = newToken(ctx.seams, "registration");
    await ctx.db.auth.change(
      `insert into auth.registration_tokens (token_hash, uses_allowed, expires_at)
       values ($1, $2, now() + $3 * interval '1 millisecond')`,
      [tokenHash(token), body.uses_allowed, body.expires_in_ms],
    );
    return { token, link: `${ctx.publicUrl()}/register?token=${token}`, ...body };
  },
});
