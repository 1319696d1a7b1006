/**
 * How a stream ends. The close code says what the client must do; the reason is JSON with the rest. The table is part of the
 * protocol: docs/protocol/stream.md.
 */
import { asError, MatrixError } from "../errors.ts";

/** By what the client must do. */
export const CLOSE = {
  /** Nothing: the same would happen again. */
  stop: 4400,
  /** Sign in again; with `soft_logout`, a new access token is enough. */
  signIn: 4401,
  /** Come back without a token: the server can not go on from the one that it was given. */
  resync: 4409,
  /** Come back with the last token after `reconnect_in_ms`. */
  reconnect: 4503,
} as const;

export interface Closing {
  code: number;
  /** JSON of at most 123 bytes: RFC 6455, section 5.5. */
  reason: string;
  /** What is said in a last frame. */
  frame: object;
}

/** The connection is to be opened again, after so long. */
export function goAway(reconnect_in_ms: number): Closing {
  const body = { reconnect_in_ms: Math.ceil(reconnect_in_ms) };
  return { code: CLOSE.reconnect, reason: JSON.stringify(body), frame: { type: "go_away", ...body } };
}

/** An expected failure, and what follows from it. */
export function refusal(error: MatrixError, code: number = codeOf(error)): Closing {
  const soft = error.fields["soft_logout"] === true ? { soft_logout: true } : {};
  const frame = { type: "error", ...error.body() };
  return { code, reason: JSON.stringify({ errcode: error.errcode, ...soft }), frame };
}

const SIGN_IN: ReadonlySet<string> = new Set(["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_LOCKED"]);

function codeOf({ errcode }: MatrixError): number {
  return SIGN_IN.has(errcode) ? CLOSE.signIn : CLOSE.stop;
}

export interface FailureOptions {
  /** When to come back, where that is what helps. */
  retryIn_ms: number;
  onUnexpected(error: Error): void;
}

/** What to do about something that was thrown: what nobody expected and what will pass is a reason to come back. */
export function closingFor(thrown: unknown, { retryIn_ms, onUnexpected }: FailureOptions): Closing {
  if (thrown instanceof MatrixError && thrown.status < 500 && thrown.errcode !== "M_LIMIT_EXCEEDED")
    return refusal(thrown);
  if (!(thrown instanceof MatrixError)) onUnexpected(asError(thrown));
  const told_ms = thrown instanceof MatrixError ? (thrown.retryAfter_ms ?? 0) : 0;
  return goAway(Math.max(told_ms, retryIn_ms));
}
