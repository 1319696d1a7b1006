/** Registration. Specification: client-server-api, "Account registration and management". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { listPerson } from "../directory/people.ts";
import { beginProfile } from "../account/profile.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { bindAddress, inUse, ownerOfAddress } from "./email/addresses.ts";
import { forgetValidation } from "./email/validations.ts";
import { hashPassword } from "./hashing.ts";
import { interactive } from "./interactive.ts";
import { checkNewPassword } from "./passwords.ts";
import { accountExists } from "./queries.ts";
import { registerByService, SERVICE_LOGIN } from "./service-login.ts";
import { refuseWhileOff } from "./registration-tokens.ts";
import { auth, newDevice } from "./shapes.ts";
import { signIn } from "./sign-in.ts";
import { acceptedBy, provedBy, type Stage } from "./stages.ts";
import { accepted, makingAccount } from "./terms/acceptance.ts";
import type { Versions } from "./terms/policies.ts";
import { nameIsTaken, tokenIsUsedUp } from "./register-refusals.ts";
import { guestUpgrading, registerGuest, upgradeGuest, upgrading } from "./register-guest.ts";
import { generatedUserId, newUserId } from "./user-names.ts";

const body = z.looseObject({
  auth: auth.optional(),
  type: z.string().optional(),
  // Whatever is no user name is told by its own errcode, one that is too long as well.
  username: z.string().nullish(),
  password: z.string().optional(),
  inhibit_login: z.boolean().optional(),
  ...newDevice,
  ...upgrading,
});

export const register = route({
  method: "POST",
  path: "/_matrix/client/v3/register",
  access: "anyone",
  rate: "register",
  body,
  query: z.looseObject({ kind: z.enum(["user", "guest"]).default("user") }),
  async handle(request, ctx) {
    const { password, username } = request.body;
    if (request.query.kind === "guest")
      return registerGuest(ctx, { deviceName: request.body.initial_device_display_name, address: request.address });
    if (request.body.type === SERVICE_LOGIN) return registerByService(ctx, request);
    await refuseWhileOff(ctx);
    // What is wrong with the name or the password is said before anyone goes through the stages.
    const guest = await guestUpgrading(ctx, request.body);
    const userId = guest ?? (username == null ? generatedUserId(ctx) : await freeUserId(ctx, username));
    if (password !== undefined) checkNewPassword(ctx, password);
    else if (request.body.auth) throw matrixError("M_MISSING_PARAM", "An account needs a password.");
    const completed = await interactive(ctx, request, { flows: flowsOf(ctx) });
    if (password === undefined) throw matrixError("M_MISSING_PARAM", "An account needs a password.");
    const mail = completed["m.login.email.identity"];
    const proved = mail === undefined ? undefined : provedBy(mail);
    if (proved && (await ownerOfAddress(ctx, proved.address)) !== undefined) throw inUse();
    const token = completed["m.login.registration_token"];
    const terms = completed["m.login.terms"];
    await (guest === undefined ? createAccount : upgradeGuest)(ctx, {
      userId,
      password,
      tokenHash: token ? Buffer.from(token, "base64") : undefined,
      versions: terms === undefined ? undefined : acceptedBy(terms),
      ...(proved ? { claim: () => claimProof(ctx, proved) } : {}),
    });
    if (proved) await bindAddress(ctx, userId, proved.address);
    if (request.body.inhibit_login) return { user_id: userId, home_server: ctx.config.serverName };
    return signIn(ctx, { userId, device: request.body, address: request.address });
  },
});

/** One address makes one account, however many ask for theirs with it at one moment. Throws M_UNAUTHORIZED. */
async function claimProof(ctx: Context, proved: { sid: string }): Promise<void> {
  if (!(await forgetValidation(ctx, proved)))
    throw matrixError("M_UNAUTHORIZED", "This confirmation was used already, or is too old. Ask for another mail.");
}

/** Specification: GET /register/available. */
export const registerAvailable = route({
  method: "GET",
  path: "/_matrix/client/v3/register/available",
  access: "anyone",
  rate: "other",
  query: z.looseObject({ username: z.string() }),
  async handle({ query }, ctx) {
    await refuseWhileOff(ctx);
    await freeUserId(ctx, query.username);
    return { available: true };
  },
});

/**
 * A token is asked for where it must be, and taken where it need not: that of the first administrator works always. The policies, where there
 * are some, stand in each flow; the captcha where there is no token, whose bearer somebody has let in already. Where an e-mail address is
 * optional, flows without it come first; a client offers what it knows.
 */
function flowsOf(ctx: Context): Stage[][] {
  const terms: Stage[] = ctx.config.terms.length > 0 ? ["m.login.terms"] : [];
  const captcha: Stage[] = ctx.config.captcha ? ["m.login.recaptcha"] : [];
  const withToken: Stage[] = ["m.login.registration_token", ...terms];
  const isOpen = ctx.controls.now().registration === "open";
  const plain: Stage[][] = isOpen ? [[...captcha, ...terms, "m.login.dummy"], withToken] : [withToken];
  const atRegistration = ctx.config.mail?.atRegistration ?? "off";
  if (atRegistration === "off") return plain;
  const withMail = plain.map((flow): Stage[] => [...flow, "m.login.email.identity"]);
  return atRegistration === "required" ? withMail : [...plain, ...withMail];
}

/** The user id for a name that somebody wants and nobody has. Throws M_INVALID_USERNAME or M_USER_IN_USE. */
export async function freeUserId(ctx: Context, username: string): Promise<string> {
  const userId = newUserId(ctx, username);
  if (await accountExists(ctx, userId)) throw nameIsTaken();
  return userId;
}

interface NewAccount {
  userId: string;
  password: string;
  tokenHash: Buffer | undefined;
  /** The policies that the person has accepted. */
  versions: Versions | undefined;
  /** Uses up what else was proved, when nothing but the account is left to be made. */
  claim?: () => Promise<void>;
}

/** Makes the account, and uses its registration token up where it has one. Throws M_USER_IN_USE, or M_FORBIDDEN for the token. */
export async function createAccount(ctx: Context, account: NewAccount): Promise<void> {
  const { userId, password, tokenHash, versions, claim } = account;
  const passwordHash = await hashPassword(ctx, password);
  await claim?.();
  // Before the account is there, so that no account is ever missing in the directory or without a name.
  await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
  const row = await ctx.db.auth.one<{ outcome: "created" | "taken" | "token" }>(
    makingAccount("select auth.create_account($1, $2, $3) as outcome", "$4"),
    [userId, passwordHash, tokenHash ?? null, accepted(versions)],
  );
  if (row?.outcome === "taken") throw nameIsTaken();
  if (row?.outcome === "token") throw tokenIsUsedUp();
}
