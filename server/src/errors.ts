/**
 * Every failure that a client may be told, in one table: its Matrix `errcode` and its HTTP status.
 * Specification: client-server-api, "Standard error response".
 */

const STATUS = {
  M_FORBIDDEN: 403,
  M_UNKNOWN_TOKEN: 401,
  M_MISSING_TOKEN: 401,
  M_USER_LOCKED: 401,
  M_USER_SUSPENDED: 403,
  M_BAD_JSON: 400,
  M_NOT_JSON: 400,
  M_NOT_FOUND: 404,
  M_LIMIT_EXCEEDED: 429,
  M_UNRECOGNIZED: 404,
  M_UNKNOWN: 500,
  M_UNAUTHORIZED: 401,
  M_USER_DEACTIVATED: 403,
  M_USER_IN_USE: 400,
  M_INVALID_USERNAME: 400,
  M_ROOM_IN_USE: 400,
  M_INVALID_ROOM_STATE: 400,
  M_UNSUPPORTED_ROOM_VERSION: 400,
  M_INCOMPATIBLE_ROOM_VERSION: 400,
  M_BAD_STATE: 400,
  M_GUEST_ACCESS_FORBIDDEN: 403,
  M_MISSING_PARAM: 400,
  M_INVALID_PARAM: 400,
  M_TOO_LARGE: 413,
  M_EXCLUSIVE: 400,
  M_RESOURCE_LIMIT_EXCEEDED: 403,
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: 403,
  M_WEAK_PASSWORD: 400,
  M_WRONG_ROOM_KEYS_VERSION: 403,
  M_BAD_ALIAS: 400,
  M_DUPLICATE_ANNOTATION: 400,
  M_NOT_YET_UPLOADED: 504,
  M_CANNOT_OVERWRITE_MEDIA: 409,
  M_UNABLE_TO_AUTHORISE_JOIN: 400,
  M_UNABLE_TO_GRANT_JOIN: 400,
  M_INVALID_SIGNATURE: 400,
  M_THREEPID_AUTH_FAILED: 400,
  M_THREEPID_DENIED: 403,
  M_THREEPID_IN_USE: 400,
  M_THREEPID_NOT_FOUND: 400,
  M_SERVER_NOT_TRUSTED: 400,
  M_UNKNOWN_DEVICE: 400,
  M_CAPTCHA_NEEDED: 400,
  M_CAPTCHA_INVALID: 400,
  M_URL_NOT_SET: 400,
  M_CONNECTION_FAILED: 502,
  M_BAD_STATUS: 502,
  M_CONNECTION_TIMEOUT: 504,
  M_KEY_TOO_LARGE: 400,
  M_PROFILE_TOO_LARGE: 400,
  M_INVITE_BLOCKED: 403,
  M_SAFETY: 403,
  /** Sliding sync: the connection is not known any more, and begins anew without a position. */
  M_UNKNOWN_POS: 400,
  IO_PARLEY_UNAVAILABLE: 503,
  IO_PARLEY_MAINTENANCE: 503,
  /** The console: sign in again before this, and send the session's CSRF token. */
  IO_PARLEY_CONFIRM: 401,
  IO_PARLEY_CSRF: 403,
  /** The console: the password is right, and the account's second factor is missing. */
  IO_PARLEY_SECOND_FACTOR: 403,
} as const;

export type Errcode = keyof typeof STATUS;

export interface ErrorExtra {
  /** The status where it is not the one of the table. */
  status?: number;
  /** When it makes sense to try again; becomes the `Retry-After` header and `retry_after_ms`. */
  retryAfter_ms?: number;
  /** Further members of the error's body, such as `soft_logout` or `current_version`. */
  fields?: Record<string, unknown>;
  cause?: unknown;
}

/** An expected failure. What it says reaches the client word by word, so it holds no secret. */
export class MatrixError extends Error {
  readonly errcode: Errcode;
  readonly status: number;
  readonly retryAfter_ms: number | undefined;
  readonly fields: Record<string, unknown>;

  constructor(errcode: Errcode, message: string, extra: ErrorExtra = {}) {
    super(message, { cause: extra.cause });
    this.name = "MatrixError";
    this.errcode = errcode;
    this.status = extra.status ?? STATUS[errcode];
    this.retryAfter_ms = extra.retryAfter_ms;
    this.fields = extra.fields ?? {};
  }

  /** The body of the answer. */
  body(): Record<string, unknown> {
    const retry = this.retryAfter_ms === undefined ? {} : { retry_after_ms: Math.ceil(this.retryAfter_ms) };
    return { ...this.fields, errcode: this.errcode, error: this.message, ...retry };
  }
}

/** Makes an expected failure: `throw matrixError("M_NOT_FOUND", "There is no room with this alias.")`. */
export function matrixError(errcode: Errcode, message: string, extra?: ErrorExtra): MatrixError {
  return new MatrixError(errcode, message, extra);
}

/** A setting, a port or a database that keeps the server from starting: one sentence for the operator, exit code 1. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}

/** The body of an answer to user-interactive authentication that is not finished: status 401 and no `errcode` of its own. */
export class InteractiveAuthentication extends Error {
  readonly body: Record<string, unknown>;

  constructor(body: Record<string, unknown>) {
    super("user-interactive authentication is needed");
    this.name = "InteractiveAuthentication";
    this.body = body;
  }
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Whether PostgreSQL refused a text with U+0000, which came from nowhere but a request. */
export function isOfNul(thrown: unknown): boolean {
  const { code } = thrown as { code?: string };
  return code === "22021" || code === "22P05";
}
