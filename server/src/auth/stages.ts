/**
 * The stages of user-interactive authentication. Each gives what it proved as a text, or the reason why it refuses; what it
 * throws ends the request. Specification: client-server-api, "Authentication types".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { validate } from "../validate.ts";
import type { InteractiveRequest } from "./interactive.ts";
import { checkPassword } from "./passwords.ts";
import { requireHuman } from "./captcha/verify.ts";
import { isUsableRegistrationToken } from "./registration-tokens.ts";
import { type Purpose, provedAddress } from "./email/validations.ts";
import { identifier, text } from "./shapes.ts";
import { areCurrent, termsParams, type Versions } from "./terms/policies.ts";
import { tokenHash } from "./tokens.ts";
import { userIdFrom } from "./user-names.ts";

type Check = (ctx: Context, request: InteractiveRequest) => Promise<string | MatrixError>;

export const stages = {
  "m.login.dummy": () => Promise.resolve(""),
  "m.login.registration_token": registrationToken,
  "m.login.password": password,
  "m.login.email.identity": emailIdentity,
  "m.login.sso": onPage,
  "m.login.terms": terms,
  "m.login.recaptcha": recaptcha,
} satisfies Record<string, Check>;

export type Stage = keyof typeof stages;

/** What clients are told of the stages besides their names: `params` of the challenge. */
export function paramsOf(ctx: Context, flows: readonly (readonly string[])[]): Record<string, object> {
  const isAsked = (stage: Stage) => flows.some((flow) => flow.includes(stage));
  const { captcha } = ctx.config;
  return {
    ...(isAsked("m.login.terms") ? { "m.login.terms": termsParams(ctx) } : {}),
    ...(captcha && isAsked("m.login.recaptcha") ? { "m.login.recaptcha": { public_key: captcha.siteKey } } : {}),
  };
}

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

/**
 * Specification: "Terms of service at registration": the word of the client is enough, for what this session's challenge has named. Gives the
 * versions.
 */
async function terms(ctx: Context, { body }: InteractiveRequest): Promise<string | MatrixError> {
  const row = await ctx.db.auth.one<{ presented: Versions | null }>(
    "select presented from auth.interactive_sessions where id = $1 and user_id is null and expires_at > now()",
    [body.auth?.session ?? null],
  );
  if (row?.presented && areCurrent(ctx, row.presented)) return JSON.stringify(row.presented);
  return matrixError(
    "M_UNAUTHORIZED",
    "The policies were not shown yet, or have changed. Read those in params, and accept them with this session.",
  );
}

/** What the stage accepted: see `Completed`. */
export function acceptedBy(completed: string): Versions {
  return JSON.parse(completed) as Versions;
}

const captchaAuth = z.looseObject({ response: text(limits.captchaResponse_characters).default("") });

/** Specification: "Google ReCaptcha". */
async function recaptcha(ctx: Context, { body }: InteractiveRequest): Promise<string | MatrixError> {
  const { response } = validate(captchaAuth, body.auth, "body");
  if (!ctx.config.captcha) return matrixError("M_UNRECOGNIZED", "Nobody has to show here that they are no robot.");
  try {
    await requireHuman(ctx, ctx.config.captcha, response);
    return "";
  } catch (thrown) {
    if (thrown instanceof MatrixError && thrown.errcode.startsWith("M_CAPTCHA")) return thrown;
    throw thrown;
  }
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
