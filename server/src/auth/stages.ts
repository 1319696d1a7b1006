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
import { type Purpose, provedAddress } from "./email/validations.ts";
import { identifier, text } from "./shapes.ts";
import { tokenHash } from "./tokens.ts";
import { userIdFrom } from "./user-names.ts";

type Check = (ctx: Context, request: InteractiveRequest) => Promise<string | MatrixError>;

export const stages = {
  "m.login.dummy": () => Promise.resolve(""),
  "m.login.registration_token": registrationToken,
  "m.login.password": password,
  "m.login.email.identity": emailIdentity,
  "m.login.sso": onPage,
} satisfies Record<string, Check>;

export type Stage = keyof typeof stages;

/** What was said on the page (sso/confirm.ts) is complete already, and does not come here. */
function onPage(): Promise<MatrixError> {
  return Promise.resolve(
    matrixError("M_UNAUTHORIZED", "Open the page of this stage in a browser first, and sign in there."),
  );
}

async function registrationToken(ctx: Context, request: InteractiveRequest): Promise<string | MatrixError> {
  const { token } = validate(z.looseObject({ token: z.string() }), request.body.auth, "body");
  const hash = tokenHash(token);
  if (await isUsableRegistrationToken(ctx, hash)) return hash.toString("base64");
  return matrixError("M_FORBIDDEN", "This registration token is not known, has expired or is used up.");
}

const credentials = z.looseObject({ sid: text(), client_secret: text() });
const emailAuth = z.looseObject({ threepid_creds: credentials.optional(), threepidCreds: credentials.optional() });

/** What each path that takes it wants to be proved. */
const PURPOSES: readonly (readonly [end: string, purpose: Purpose])[] = [
  ["/register", "register"],
  ["/account/password", "password"],
];

/** Specification: "Email-based (identity / homeserver)". Gives the credentials: what was proved is read when the request goes ahead. */
async function emailIdentity(ctx: Context, request: InteractiveRequest): Promise<string | MatrixError> {
  const { threepid_creds, threepidCreds } = validate(emailAuth, request.body.auth, "body");
  const given = threepid_creds ?? threepidCreds;
  if (!given) throw matrixError("M_MISSING_PARAM", 'The body has no "auth.threepid_creds".');
  const purpose = PURPOSES.find(([end]) => request.path.endsWith(end))?.[1];
  const address = purpose && (await provedAddress(ctx, purpose, given));
  if (address === undefined)
    return matrixError(
      "M_UNAUTHORIZED",
      "The address was not confirmed yet. Open the link in the mail, then go on here.",
    );
  return JSON.stringify({ address, sid: given.sid });
}

/** What the stage proved: see `Completed`. */
export function provedBy(completed: string): { address: string; sid: string } {
  return JSON.parse(completed) as { address: string; sid: string };
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
