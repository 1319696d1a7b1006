/** A token with which a signed-in person lets one more of their clients in. Specification: "POST /login/get_token". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { interactive } from "./interactive.ts";
import { auth } from "./shapes.ts";
import { loginOfSession } from "./sso/sessions.ts";
import { newToken, tokenHash } from "./tokens.ts";

export const getLoginToken = route({
  method: "POST",
  path: "/_matrix/client/v1/login/get_token",
  access: "session",
  rate: "login",
  body: z.looseObject({ auth: auth.optional() }),
  async handle(request, ctx) {
    await interactive(ctx, request, { flows: [["m.login.password"]] });
    const { userId, id } = request.session;
    const token = await makeLoginToken(ctx, userId, await loginOfSession(ctx, id));
    return { login_token: token, expires_in_ms: limits.loginToken_ms };
  },
});

/** A token that signs its person in once, within `limits.loginToken_ms`; `login` is that of a provider which let them in. */
export async function makeLoginToken(ctx: Context, userId: string, login: number | null = null): Promise<string> {
  const token = newToken(ctx.seams, "login");
  await ctx.db.auth.change(
    `with expired as (delete from auth.login_tokens where expires_at < now())
     insert into auth.login_tokens (token_hash, user_id, expires_at, sso_login) values ($1, $2, now() + $3 * interval '1 millisecond', $4)`,
    [tokenHash(token), userId, limits.loginToken_ms, login],
  );
  return token;
}
