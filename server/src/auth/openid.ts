/**
 * Proving to somebody else's service who one is: a client gets a token that is good for nothing but that question, and the service asks
 * it here. Of the federation API this one path is served, because such services ask at no other.
 * Specification: client-server-api, "OpenID"; server-server-api, "OpenID".
 */
import { z } from "zod";
import { requireOwn } from "../account/own.ts";
import { matrixError } from "../errors.ts";
import { type Route, route } from "../http.ts";
import { limits } from "../limits.ts";
import { newToken, tokenHash } from "./tokens.ts";

const requestToken = route({
  method: "POST",
  path: "/_matrix/client/v3/user/:userId/openid/request_token",
  access: "session",
  rate: "other",
  body: z.looseObject({}),
  async handle({ params, session }, ctx) {
    requireOwn(session, params["userId"]);
    const token = newToken(ctx.seams, "openid");
    await ctx.db.auth.change(
      `with expired as (delete from auth.openid_tokens where expires_at < now())
       insert into auth.openid_tokens (token_hash, user_id, expires_at) values ($1, $2, now() + $3 * interval '1 millisecond')`,
      [tokenHash(token), session.userId, limits.openIdToken_ms],
    );
    return {
      access_token: token,
      token_type: "Bearer",
      matrix_server_name: ctx.config.serverName,
      expires_in: limits.openIdToken_ms / 1_000,
    };
  },
});

const userInfo = route({
  method: "GET",
  path: "/_matrix/federation/v1/openid/userinfo",
  access: "anyone",
  rate: "other",
  query: z.looseObject({ access_token: z.string().optional() }),
  async handle({ query }, ctx) {
    if (!query.access_token) throw matrixError("M_MISSING_TOKEN", "The query has no access_token.");
    const row = await ctx.db.auth.one<{ userId: string }>(
      `select t.user_id as "userId" from auth.openid_tokens t join auth.accounts a using (user_id)
       where t.token_hash = $1 and t.expires_at > now() and a.deactivated_at is null and a.suspended_at is null`,
      [tokenHash(query.access_token)],
    );
    if (!row) throw matrixError("M_UNKNOWN_TOKEN", "Access token unknown or expired");
    return { sub: row.userId };
  },
});

export const openIdRoutes: readonly Route[] = [requestToken, userInfo];
