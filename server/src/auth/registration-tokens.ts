/** Registration tokens: who has one may register. Specification: client-server-api, "Token-authenticated registration". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { tokenHash } from "./tokens.ts";

/** Whether the token may be used now. While registration is off only one that makes an administrator may. */
export async function isUsableRegistrationToken(ctx: Context, hash: Buffer): Promise<boolean> {
  const row = await ctx.db.auth.one(
    `select 1 from auth.registration_tokens t
     where t.token_hash = $1 and auth.registration_token_valid(t) and (t.makes_admin or $2)`,
    [hash, ctx.config.registration !== "off"],
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
  if (ctx.config.registration === "off" && !(await awaitsAdministrator(ctx)))
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
