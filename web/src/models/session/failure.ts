/**
 * Errors as sentences. Every view shows a `Failure`, never an error's own text, which is written for logs.
 *
 * The same errcode means different things in different places (`M_FORBIDDEN` is a wrong password at sign-in and a
 * closed door at registration), so a caller says what it was doing.
 */

export type Doing = "signIn" | "register" | "confirmPassword" | "resetPassword" | "other";

export interface Failure {
  /** One or two full sentences, to be shown as they are. */
  text: string;
  /** The field of the form that has to change, when the server's answer names one. */
  field?: "userName" | "password" | "newPassword" | "token" | "email";
  /** When trying again makes sense, in milliseconds since the epoch; set for rate limits only. */
  retryAt_ms?: number;
  /** Where it is to be done in the browser instead, on the server's own pages. */
  isForBrowser?: boolean;
}

/** The parts of an error that matter here; both the SDK's `MatrixError` and our `RequestError` have them. */
interface ErrorParts {
  errcode?: string;
  status?: number;
  message: string;
  /** The server wants it to be done in the browser, on its own pages, and its sentence says so. */
  isForBrowser: boolean;
  retryAfter_ms: number;
}

const DEFAULT_RETRY_AFTER_MS = 5_000;

const SIGN_IN: Record<string, Failure> = {
  M_FORBIDDEN: { text: "That user name and password do not belong together.", field: "password" },
  M_USER_DEACTIVATED: { text: "This account has been deactivated and can no longer sign in.", field: "userName" },
  M_INVALID_USERNAME: { text: "That is not a user name of this server.", field: "userName" },
};

const REGISTER: Record<string, Failure> = {
  M_USER_IN_USE: { text: "That user name is taken. Choose another.", field: "userName" },
  M_INVALID_USERNAME: {
    text: "A user name may have small letters, digits and the signs . _ = / + -",
    field: "userName",
  },
  M_EXCLUSIVE: { text: "That user name is reserved. Choose another.", field: "userName" },
  M_WEAK_PASSWORD: { text: "That password is too short or too easy to guess.", field: "newPassword" },
  M_FORBIDDEN: { text: "This server does not take new accounts at the moment. Ask its administrator for a link." },
  M_UNAUTHORIZED: { text: "This link is not valid any more. Ask the administrator for a new one.", field: "token" },
};

const CONFIRM_PASSWORD: Record<string, Failure> = {
  M_FORBIDDEN: { text: "That is not your password.", field: "password" },
  M_UNAUTHORIZED: { text: "That is not your password.", field: "password" },
  M_WEAK_PASSWORD: { text: "The new password is too short or too easy to guess.", field: "newPassword" },
};

const NOT_CONFIRMED = "The address is not confirmed yet. Open the page in the mail and press the button there.";

const RESET_PASSWORD: Record<string, Failure> = {
  M_THREEPID_NOT_FOUND: { text: "No account here has this address.", field: "email" },
  M_THREEPID_IN_USE: { text: "This address belongs to an account here already.", field: "email" },
  M_THREEPID_DENIED: { text: "This server sends no mails. Ask its administrator for a link." },
  M_INVALID_PARAM: { text: "That is no e-mail address.", field: "email" },
  M_UNAUTHORIZED: { text: NOT_CONFIRMED },
  M_THREEPID_AUTH_FAILED: { text: NOT_CONFIRMED },
  M_WEAK_PASSWORD: { text: "The new password is too short or too easy to guess.", field: "newPassword" },
};

const OTHER: Record<string, Failure> = {
  M_FORBIDDEN: { text: "The server does not allow this." },
  M_NOT_FOUND: { text: "The server does not know this any more." },
  M_TOO_LARGE: { text: "This is larger than the server takes." },
  M_RESOURCE_LIMIT_EXCEEDED: { text: "The server has reached a limit that its administrator set." },
  M_USER_SUSPENDED: { text: "This account is suspended. Ask the administrator why." },
};

const TABLES: Record<Doing, Record<string, Failure>> = {
  signIn: SIGN_IN,
  register: REGISTER,
  confirmPassword: CONFIRM_PASSWORD,
  resetPassword: RESET_PASSWORD,
  other: {},
};

/**
 * What to tell a person about `error`.
 *
 * @param now_ms the present time, so that a rate limit can say when to try again.
 */
export function failureOf(error: unknown, doing: Doing, now_ms: number = Date.now()): Failure {
  const parts = partsOf(error);
  if (parts.isForBrowser) return { text: parts.message, isForBrowser: true };
  if (parts.errcode === "M_LIMIT_EXCEEDED" || parts.status === 429) return rateLimited(parts, now_ms);
  const known = parts.errcode ? (TABLES[doing][parts.errcode] ?? OTHER[parts.errcode]) : undefined;
  if (known) return known;
  if (isUnreachable(error)) return { text: "The server cannot be reached. Check the connection and try again." };
  if (parts.status !== undefined && parts.status >= 500) {
    return { text: "The server has a problem at the moment. Try again in a minute." };
  }
  return { text: `That did not work: ${parts.message}` };
}

/** Whether `error` says that no answer came at all, as opposed to an answer that says no. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "ConnectionError" || error.name === "NetworkError" || error instanceof TypeError;
}

function rateLimited(parts: ErrorParts, now_ms: number): Failure {
  const seconds = Math.ceil(parts.retryAfter_ms / 1_000);
  const wait =
    seconds >= 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} ${seconds === 1 ? "second" : "seconds"}`;
  return { text: `Too many attempts. Try again in ${wait}.`, retryAt_ms: now_ms + parts.retryAfter_ms };
}

function partsOf(error: unknown): ErrorParts {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const data = (typeof fields.data === "object" && fields.data !== null ? fields.data : {}) as Record<string, unknown>;
  return {
    errcode: typeof fields.errcode === "string" ? fields.errcode : undefined,
    status: numberOf(fields.httpStatus),
    message: textOf(data.error) ?? (error instanceof Error ? error.message : "unknown error"),
    isForBrowser: "io.parley.second_factor" in data || "io.parley.account_page" in data,
    retryAfter_ms:
      numberOf(fields.retryAfter_ms) ??
      headerRetry_ms(fields) ??
      numberOf(data.retry_after_ms) ??
      DEFAULT_RETRY_AFTER_MS,
  };
}

function headerRetry_ms(fields: Record<string, unknown>): number | undefined {
  const seconds =
    fields.httpHeaders instanceof Headers ? Number(fields.httpHeaders.get("Retry-After") ?? Number.NaN) : Number.NaN;
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
