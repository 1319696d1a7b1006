/**
 * The stages of user-interactive authentication. Each gives what it proved as a text, or the reason why it refuses; what it
 * throws ends the request. Specification: client-server-api, "Authentication types".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError, type MatrixError } from "../errors.ts";
import { validate } from "../validate.ts";
import type { InteractiveRequest } from "./interactive.ts";
import { checkPassword } from "./passwords.ts";
import { isUsableRegistrationToken } from "./registration-tokens.ts";
import { identifier } from "./shapes.ts";
import { tokenHash } from "./tokens.ts";
import { userIdFrom } from "./user-names.ts";

type Check = (ctx: Context, request: InteractiveRequest) => Promise<string | MatrixError>;

export const stages = {
  "m.login.dummy": () => Promise.resolve(""),
  "m.login.registration_token": registrationToken,
  "m.login.password": password,
} satisfies Record<string, Check>;

export type Stage = keyof typeof stages;

async function registrationToken(ctx: Context, request: InteractiveRequest): Promise<string | MatrixError> {
  const { token } = validate(z.looseObject({ token: z.string() }), request.body.auth, "body");
  const hash = tokenHash(token);
  if (await isUsableRegistrationToken(ctx, hash)) return hash.toString("base64");
  return matrixError("M_FORBIDDEN", "This registration token is not known, has expired or is used up.");
}

const passwordAuth = z.looseObject({
  password: z.string(),
  identifier: identifier.optional(),
  // Older clients name the person so, or not at all.
  user: z.string().optional(),
});

async function password(ctx: Context, request: InteractiveRequest): Promise<string | MatrixError> {
  const given = validate(passwordAuth, request.body.auth, "body");
  const userId = request.session?.userId;
  const named = given.identifier?.user ?? given.user;
  if (userId === undefined || (named !== undefined && userIdFrom(ctx, named) !== userId))
    return matrixError("M_FORBIDDEN", "Only your own password counts here.");
  const hash = await checkPassword(ctx, { userId, password: given.password, address: request.address });
  return hash ? "" : matrixError("M_FORBIDDEN", "The password is not right.");
}
