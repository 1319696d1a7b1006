/**
 * What application services ask for with the type m.login.application_service: accounts without a password, and sessions of them.
 * Specification: application-service-api, "Server admin style permissions".
 */
import { z } from "zod";
import { accessTokenOf } from "../access-token.ts";
import type { Service } from "../appservice/service.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Request } from "../http.ts";
import { validate } from "../validate.ts";
import { serviceAsking } from "../who-asks.ts";
import { isActive } from "./queries.ts";
import { createServiceAccount } from "./service-accounts.ts";
import { identifier, text } from "./shapes.ts";
import { signIn, type SignIn } from "./sign-in.ts";
import { newServiceUserId, userIdFrom } from "./user-names.ts";

export const SERVICE_LOGIN = "m.login.application_service";

type Asked = Pick<Request<unknown, unknown, undefined>, "headers" | "query" | "address"> & { body: SignIn["device"] };

/** The service whose token the request carries. Throws M_MISSING_TOKEN and M_UNKNOWN_TOKEN. */
function requireService(ctx: Context, request: Asked): Service {
  const service = serviceAsking(ctx, request);
  if (service) return service;
  if (accessTokenOf(request, ctx.config.queryTokens) === undefined)
    throw matrixError("M_MISSING_TOKEN", "The request has no as_token.");
  throw matrixError("M_UNKNOWN_TOKEN", "This is the as_token of no application service that is registered here.");
}

const registration = z.looseObject({ username: text(), inhibit_login: z.boolean().optional() });

/** POST /register. */
export async function registerByService(ctx: Context, request: Asked): Promise<object> {
  const service = requireService(ctx, request);
  const { username, inhibit_login: isOnlyMade } = validate(registration, request.body, "body");
  const userId = newServiceUserId(ctx, username, service);
  if (!(await createServiceAccount(ctx, userId))) throw matrixError("M_USER_IN_USE", "This user name is taken.");
  if (isOnlyMade) return { user_id: userId, home_server: ctx.config.serverName };
  return signIn(ctx, { userId, device: request.body, address: request.address });
}

const login = z.looseObject({ identifier: identifier.optional(), user: text().optional() });

/** POST /login. */
export async function loginByService(ctx: Context, request: Asked): Promise<object> {
  const service = requireService(ctx, request);
  const given = validate(login, request.body, "body");
  const user = given.identifier?.user ?? given.user;
  if (user === undefined) throw matrixError("M_MISSING_PARAM", 'The body has no "identifier.user".');
  const userId = userIdFrom(ctx, user);
  if (service.user(userId) === "no")
    throw matrixError("M_EXCLUSIVE", `${userId} is in no namespace of this application service.`);
  if (userId === service.sender) await createServiceAccount(ctx, userId);
  if (!(await isActive(ctx, userId)))
    throw matrixError("M_FORBIDDEN", `${userId} has not been registered by its application service.`);
  return signIn(ctx, { userId, device: request.body, address: request.address });
}
