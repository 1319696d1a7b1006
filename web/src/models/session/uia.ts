/**
 * User-interactive authentication of requests that a signed-in person makes: deleting a session, changing the
 * password, publishing new cross-signing keys.
 *
 * The request is sent without `auth` first; a server that wants none answers at once. Otherwise the password is asked
 * for, in a dialog that stays until it is right or closed. A password typed in the last minutes, at sign-in or
 * registration, is used once without asking: it lives in this module only, and `forgetPassword` ends it.
 */
import type { AuthDict, MatrixClient } from "matrix-js-sdk";
import { create } from "zustand";
import { failureOf } from "./failure.ts";

/** The person closed the password dialog. Nothing happened; a view shows no error for it. */
export class CancelledError extends Error {
  constructor() {
    super("closed without a password");
    this.name = "CancelledError";
  }
}

export interface Page {
  url: string;
  /** `account`: the server's account page, for an account with a second factor. `provider`: for one that a provider lets in. */
  kind: "account" | "provider";
}

export interface PasswordQuestion {
  /** What the password is for, as the rest of a sentence: "sign out 2 sessions". */
  purpose: string;
  /** Why the last answer was not taken. */
  refusal?: string;
  /** True while the answer is being checked. */
  checking: boolean;
  /** Where it is allowed instead: any answer but null says that it was. */
  page?: Page;
  answer(password: string | null): void;
}

/** The question that is on the screen now; null when none is. `views/auth/PasswordPrompt` shows it. */
export const usePasswordQuestion = create<{ question: PasswordQuestion | null }>()(() => ({ question: null }));

let knownPassword: string | null = null;

export function rememberPassword(password: string): void {
  knownPassword = password;
}

/** Whether the next request that needs the password will not ask for it. */
export function knowsPassword(): boolean {
  return knownPassword !== null;
}

export function forgetPassword(): void {
  knownPassword = null;
}

interface Asking {
  client: Pick<MatrixClient, "getSafeUserId" | "getFallbackAuthUrl">;
  purpose: string;
}

/**
 * Makes a request that may need the password of who is signed in, or another proof of theirs.
 *
 * @throws CancelledError when the person closes the dialog; the request's own error when it is not about passwords.
 */
export async function withPassword<T>(options: Asking, send: (auth: AuthDict | null) => Promise<T>): Promise<T> {
  let auth: AuthDict | null = null;
  let refusal: string | undefined;
  try {
    for (;;) {
      try {
        return await send(auth);
      } catch (error) {
        const uia = uiaOf(error);
        if (!uia) throw error;
        // The first refusal only names the flows; each later one is about the password that was sent.
        if (auth) refusal = pageOf(uia, options) ? NOT_ALLOWED_YET : failureOf(error, "confirmPassword").text;
        auth = await nextAuth(uia, options, refusal);
      }
    }
  } finally {
    usePasswordQuestion.setState({ question: null });
  }
}

/**
 * Makes a request that needs the password, with one that a form already has; a refusal is thrown and not asked about.
 */
export async function withGivenPassword<T>(
  given: { userId: string; password: string },
  send: (auth: AuthDict | null) => Promise<T>,
): Promise<T> {
  try {
    return await send(null);
  } catch (error) {
    const uia = uiaOf(error);
    if (!uia) throw error;
    const identifier = { type: "m.id.user", user: given.userId };
    return send({ type: "m.login.password", identifier, password: given.password, session: uia.session });
  }
}

const NOT_ALLOWED_YET = "It is not allowed yet. Open the page, and allow it there first.";

/** The page on which the server wants it to be allowed. Specification: client-server-api, "OAuth authentication", "Single Sign-On", "Fallback". */
function pageOf(uia: UiaData, { client }: Asking): Page | undefined {
  const isAsked = (stage: string) => uia.flows.some(({ stages }) => stages.length === 1 && stages[0] === stage);
  const url = uia.params?.["m.oauth"]?.url;
  if (isAsked("m.oauth") && typeof url === "string" && /^https?:\/\//.test(url)) return { url, kind: "account" };
  if (!isAsked("m.login.sso") || isAsked("m.login.password")) return undefined;
  return { url: client.getFallbackAuthUrl("m.login.sso", uia.session), kind: "provider" };
}

async function nextAuth(uia: UiaData, options: Asking, refusal?: string): Promise<AuthDict> {
  const page = pageOf(uia, options);
  if (page !== undefined) {
    const allowed = await ask({ purpose: options.purpose, page, ...(refusal && { refusal }) });
    if (allowed === null) throw new CancelledError();
    return { session: uia.session };
  }
  const stages = uia.flows.map((flow) => flow.stages);
  if (stages.some((names) => names.length === 1 && names[0] === "m.login.dummy")) {
    return { type: "m.login.dummy", session: uia.session };
  }
  if (!stages.some((names) => names.length === 1 && names[0] === "m.login.password")) {
    throw new Error("the server asks for a kind of confirmation that this app does not know");
  }
  const password = knownPassword ?? (await ask({ purpose: options.purpose, ...(refusal && { refusal }) }));
  forgetPassword();
  if (password === null) throw new CancelledError();
  const identifier = { type: "m.id.user", user: options.client.getSafeUserId() };
  return { type: "m.login.password", identifier, password, session: uia.session };
}

function ask(about: Pick<PasswordQuestion, "purpose" | "refusal" | "page">): Promise<string | null> {
  return new Promise((resolve) => {
    const answer = (password: string | null) => {
      const { question } = usePasswordQuestion.getState();
      if (question) usePasswordQuestion.setState({ question: { ...question, checking: true } });
      resolve(password);
    };
    usePasswordQuestion.setState({ question: { ...about, checking: false, answer } });
  });
}

interface UiaData {
  session: string;
  flows: { stages: string[] }[];
  params?: Record<string, { url?: unknown } | undefined>;
}

function uiaOf(error: unknown): UiaData | undefined {
  const { httpStatus, data } = (error ?? {}) as { httpStatus?: number; data?: Partial<UiaData> };
  if (httpStatus !== 401 || !data || typeof data.session !== "string" || !Array.isArray(data.flows)) return undefined;
  return { session: data.session, flows: data.flows, ...(data.params && { params: data.params }) };
}
