/** Signing in. Specification: client-server-api, "Login" of the legacy API. */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Request, route } from "../http.ts";
import { validate } from "../validate.ts";
import { foldAddress } from "./email/address.ts";
import { ownerOfAddress } from "./email/addresses.ts";
import { needsBrowser } from "./factors/second-factor.ts";
import { hasSecondFactor } from "./factors/totp.ts";
import { checkPassword } from "./passwords.ts";
import { isDeactivated } from "./queries.ts";
import { loginByService, SERVICE_LOGIN } from "./service-login.ts";
import { identifier, newDevice, text } from "./shapes.ts";
import { signIn } from "./sign-in.ts";
import { identityProviders } from "./sso/providers.ts";
import { tokenHash } from "./tokens.ts";
import { userIdFrom } from "./user-names.ts";

const body = z.looseObject({ type: z.string(), ...newDevice });

const passwordLogin = z.looseObject({
  identifier: identifier.optional(),
  // How older clients name the person.
  user: text().optional(),
  medium: text().optional(),
  address: text().optional(),
  password: z.string(),
});

const tokenLogin = z.looseObject({ token: z.string() });

type LoginRequest = Request<z.output<typeof body>, unknown, undefined>;

export const loginFlows = route({
  method: "GET",
  path: "/_matrix/client/v3/login",
  access: "anyone",
  rate: "other",
  handle: (_request, ctx) => ({
    flows: [
      { type: "m.login.password" },
      { type: "m.login.token", get_login_token: true },
      // Its name from before the specification had it, for clients of that time. Specification: "OAuth 2.0 aware clients".
      {
        type: "m.login.sso",
        oauth_aware_preferred: true,
        "org.matrix.msc3824.delegated_oidc_compatibility": true,
        ...identityProviders(ctx),
      },
      ...(ctx.services.all().length > 0 ? [{ type: SERVICE_LOGIN }] : []),
    ],
  }),
});

export const login = route({
  method: "POST",
  path: "/_matrix/client/v3/login",
  access: "anyone",
  rate: "login",
  body,
  async handle(request, ctx) {
    const { type } = request.body;
    if (type === "m.login.password") return withPassword(ctx, request);
    if (type === "m.login.token") return withToken(ctx, request);
    if (type === SERVICE_LOGIN) return loginByService(ctx, request);
    throw matrixError("M_UNKNOWN", `One can not sign in here with ${type}.`, { status: 400 });
  },
});

async function withPassword(ctx: Context, request: LoginRequest): Promise<object> {
  const given = validate(passwordLogin, request.body, "body");
  const userId = await whoIsMeant(ctx, given);
  const passwordHash = await checkPassword(ctx, { userId, password: given.password, address: request.address });
  if (passwordHash === undefined) {
    if (await isDeactivated(ctx, userId)) throw matrixError("M_USER_DEACTIVATED", "This account has been deactivated.");
    throw matrixError("M_FORBIDDEN", "The user name or the password is not right.");
  }
  if (await hasSecondFactor(ctx, userId)) throw needsBrowser(ctx);
  return signIn(ctx, { userId, passwordHash, device: request.body, address: request.address });
}

const IDENTIFIERS = new Set(["m.id.user", "m.id.thirdparty", "m.id.phone"]);

/** Specification: "Identifier types". Who signs in with an address that nobody has is told no more than with a wrong password. */
async function whoIsMeant(ctx: Context, given: z.output<typeof passwordLogin>): Promise<string> {
  const { identifier: by } = given;
  const isMail = by ? by.type === "m.id.thirdparty" && by.medium === "email" : given.medium === "email";
  const address = by ? by.address : given.address;
  if (isMail && address !== undefined)
    return (await ownerOfAddress(ctx, foldAddress(address) ?? "")) ?? userIdFrom(ctx, "@");
  if (by && !IDENTIFIERS.has(by.type))
    throw matrixError("M_UNKNOWN", "This type of identifier is not known.", { status: 400 });
  if (by && by.type !== "m.id.user")
    throw matrixError("M_FORBIDDEN", "Sign in with your user name or your e-mail address: nothing else is known here.");
  const user = by ? by.user : given.user;
  if (user === undefined) throw matrixError("M_MISSING_PARAM", 'The body has no "identifier.user".');
  return userIdFrom(ctx, user);
}

/** A token of POST /login/get_token or of single sign-on: one use, a short life. */
async function withToken(ctx: Context, request: LoginRequest): Promise<object> {
  const { token } = validate(tokenLogin, request.body, "body");
  const row = await ctx.db.auth.one<{ userId: string; live: boolean; login: number | null }>(
    `delete from auth.login_tokens where token_hash = $1
     returning user_id as "userId", expires_at > now() as live, sso_login as login`,
    [tokenHash(token)],
  );
  if (!row?.live) throw matrixError("M_FORBIDDEN", "This login token is not known, has expired or was used.");
  return signIn(ctx, { userId: row.userId, device: request.body, address: request.address, login: row.login });
}
