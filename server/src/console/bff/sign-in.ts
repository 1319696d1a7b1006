/** Signing in to the console, and proving again who one is. */
import { z } from "zod";
import { readStanding } from "../../auth/for-operators.ts";
import { proveSecondFactor } from "../../auth/factors/second-factor.ts";
import { hasSecondFactor } from "../../auth/factors/totp.ts";
import { checkPassword, hasPassword } from "../../auth/passwords.ts";
import { userIdFrom } from "../../auth/user-names.ts";
import { profileOf } from "../../account/profile.ts";
import type { Context } from "../../context.ts";
import { MatrixError, matrixError } from "../../errors.ts";
import { Answer, route, type Route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { appendAudit, type Act } from "../audit/append.ts";
import { readOperator } from "../operators.ts";
import type { RawRequest } from "../perform.ts";
import { cookieHeader, readCookie } from "./cookie.ts";
import { checkCsrf, csrfTokenOf, refuseForeignOrigin } from "./guard.ts";
import { type Beginning, beginSession, type ConsoleSession, readSession, storeOf } from "./session.ts";

export const PATH = "/api/v1/session";

/** The session that a request comes with. Throws M_MISSING_TOKEN or M_UNKNOWN_TOKEN. */
export async function sessionOf(ctx: Context, request: Pick<RawRequest, "headers">): Promise<ConsoleSession> {
  const id = readCookie(ctx, request);
  if (id === undefined) throw matrixError("M_MISSING_TOKEN", "Sign in to the console first.");
  const session = await readSession(ctx, id);
  if (!session) throw matrixError("M_UNKNOWN_TOKEN", "The session of the console has ended. Sign in again.");
  return session;
}

async function described(ctx: Context, session: ConsoleSession): Promise<object> {
  const { displayname } = await profileOf(ctx, session.userId);
  return {
    user_id: session.userId,
    display_name: displayname ?? null,
    role: session.role,
    csrf_token: csrfTokenOf(session.id),
    now_ts: session.now_ms,
    confirmed_until_ts: session.confirmed_ms + limits.consoleConfirm_ms,
    ends_ts: session.began_ms + limits.consoleSession_ms,
    idle_ms: limits.consoleIdle_ms,
    has_password: await hasPassword(ctx, session.userId),
  };
}

interface Told {
  request: Pick<RawRequest, "headers">;
  session: ConsoleSession | undefined;
}

async function answerWith(ctx: Context, { request, session }: Told): Promise<Answer> {
  const headers = { "cache-control": "no-store", ...cookieHeader(ctx, request, session?.id) };
  return new Answer({ headers, payload: JSON.stringify(session ? await described(ctx, session) : {}) });
}

export function actOf(userId: string, request: Pick<RawRequest, "address">, action: string): Omit<Act, "outcome"> {
  return { actor: { userId, via: "browser", address: request.address }, action: `session.${action}`, target: userId };
}

const credentials = z.strictObject({
  user: z.string().min(1).max(limits.identifier_bytes),
  password: z.string().max(limits.password_characters * 2),
  /** Of an account with a second factor: what the app shows, or a recovery code. */
  code: z.string().max(limits.factorCode_characters).optional(),
});

/** How often the account's sessions had been ended is read first: who ends them while the password is checked ends this one too. */
async function proven(ctx: Context, request: Pick<RawRequest, "address">, given: z.output<typeof credentials>) {
  const userId = userIdFrom(ctx, given.user);
  const before = await readStanding(ctx, userId);
  const isRight = await checkPassword(ctx, { userId, password: given.password, address: request.address });
  if (isRight === undefined) throw matrixError("M_FORBIDDEN", "The user name or the password is not right.");
  const operator = await readOperator(ctx, userId);
  if (!operator) throw matrixError("M_FORBIDDEN", "This account is no operator of this server.");
  return { userId, endings: before?.sessionEndings ?? -1, role: operator.role };
}

/** Of an operator whose password was right. Throws IO_PARLEY_SECOND_FACTOR where there has to be a code, and M_FORBIDDEN for a wrong one. */
async function proveCode(ctx: Context, userId: string, code: string | undefined): Promise<void> {
  if (!(await hasSecondFactor(ctx, userId))) return;
  if (code === undefined || code === "")
    throw matrixError("IO_PARLEY_SECOND_FACTOR", "Type the code that your app shows, or one of your recovery codes.");
  await proveSecondFactor(ctx, { userId, code });
}

/** Of accounts that have nothing to do here, and of those who are told to slow down, it would only fill the log. */
async function keepGuess(ctx: Context, act: Omit<Act, "outcome">, thrown: unknown): Promise<void> {
  const isWrong = thrown instanceof MatrixError && thrown.errcode === "M_FORBIDDEN";
  if (isWrong && (await readOperator(ctx, act.actor.userId)))
    await appendAudit(ctx, [{ ...act, outcome: "denied", error: thrown.errcode }]);
}

interface Proof {
  /** What is being done, for the audit log. */
  act: Omit<Act, "outcome">;
  /** The session that there was; with the new one it ends. */
  old: string | undefined;
  /** Throws where nothing is proved. */
  prove(): Promise<Beginning>;
}

/** Begins a session with a proof of who somebody is. A proof that is none is kept as a guess. */
export async function enter(ctx: Context, request: Told["request"], { act, old, prove }: Proof): Promise<Answer> {
  try {
    const session = await beginSession(ctx, await prove());
    if (old !== undefined) await storeOf(ctx).delete(old);
    await appendAudit(ctx, [{ ...act, outcome: "done" }]);
    return await answerWith(ctx, { request, session });
  } catch (thrown) {
    await keepGuess(ctx, act, thrown);
    throw thrown;
  }
}

const signIn = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "login",
  body: credentials,
  async handle(request, ctx) {
    // Nobody is to be signed in to somebody else's session by a page of another site.
    refuseForeignOrigin(ctx, request);
    const { user, code } = request.body;
    return enter(ctx, request, {
      act: actOf(userIdFrom(ctx, user), request, "begin"),
      old: readCookie(ctx, request),
      async prove() {
        const operator = await proven(ctx, request, request.body);
        await proveCode(ctx, operator.userId, code);
        return operator;
      },
    });
  },
});

const readOwn = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    const session = await sessionOf(ctx, request);
    return new Answer({
      headers: { "cache-control": "no-store" },
      payload: JSON.stringify(await described(ctx, session)),
    });
  },
});

const signOut = route({
  method: "DELETE",
  path: PATH,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    refuseForeignOrigin(ctx, request);
    const session = await sessionOf(ctx, request);
    checkCsrf(session.id, request);
    await storeOf(ctx).delete(session.id);
    await appendAudit(ctx, [{ ...actOf(session.userId, request, "end"), outcome: "done" }]);
    return answerWith(ctx, { request, session: undefined });
  },
});

const confirm = route({
  method: "POST",
  path: `${PATH}/confirm`,
  access: "anyone",
  rate: "login",
  body: credentials.pick({ password: true, code: true }),
  async handle(request, ctx) {
    refuseForeignOrigin(ctx, request);
    const old = await sessionOf(ctx, request);
    checkCsrf(old.id, request);
    const { userId, endings, began_ms, login } = old;
    return enter(ctx, request, {
      act: actOf(userId, request, "confirm"),
      old: old.id,
      async prove() {
        const { password, code } = request.body;
        const found = await proven(ctx, request, { user: userId, password });
        await proveCode(ctx, userId, code);
        return { ...found, endings, login, began_ms };
      },
    });
  },
});

export const sessionRoutes: readonly Route[] = [signIn, readOwn, signOut, confirm];
