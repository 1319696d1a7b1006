/**
 * New tokens for old. Specification: client-server-api, "Refreshing access tokens". The old pair stays valid until the new
 * one is used for the first time, so a lost answer costs nothing; after that the old refresh token is of no use to a thief.
 */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import type { Context } from "../context.ts";
import { route } from "../http.ts";
import { accountLocked } from "./moderation.ts";
import { refuseOAuthToken } from "./oauth/sessions.ts";
import { newToken, tokenHash } from "./tokens.ts";

export const refresh = route({
  method: "POST",
  path: "/_matrix/client/v3/refresh",
  access: "anyone",
  rate: "other",
  body: z.looseObject({ refresh_token: z.string() }),
  async handle({ body }, ctx) {
    await refuseLocked(ctx, body.refresh_token);
    refuseOAuthToken(body.refresh_token);
    const access = newToken(ctx.seams, "access");
    const next = newToken(ctx.seams, "refresh");
    const lifetime_ms = ctx.controls.now().access_token_lifetime_s * 1_000;
    const row = await ctx.db.auth.one<{ outcome: "refreshed" | "retired" | null }>(
      "select auth.refresh($1, $2, $3, $4) as outcome",
      [tokenHash(body.refresh_token), tokenHash(access), tokenHash(next), lifetime_ms],
    );
    if (row?.outcome === "retired")
      throw matrixError("M_UNKNOWN_TOKEN", "This refresh token was used already.", { fields: { soft_logout: true } });
    if (row?.outcome !== "refreshed")
      throw matrixError("M_UNKNOWN_TOKEN", "This refresh token is not known. Sign in again.");
    return { access_token: access, refresh_token: next, expires_in_ms: lifetime_ms };
  },
});

/** Specification: "Account locking". The pair stays as it is, for when the lock is taken back. */
async function refuseLocked(ctx: Context, refreshToken: string): Promise<void> {
  const row = await ctx.db.auth.one(
    `select 1 from auth.tokens t join auth.sessions s using (session_id) join auth.accounts a using (user_id)
     where t.refresh_hash = $1 and a.suspended_at is not null`,
    [tokenHash(refreshToken)],
  );
  if (row) throw accountLocked();
}
