/** The stream's protocol, as far as this client speaks it: docs/protocol/stream.md. */

/** What the close code says that the client must do. */
export const CLOSE = { stop: 4400, signIn: 4401, resync: 4409, reconnect: 4503 } as const;

/** What GET /versions announces among its unstable features. */
export const FEATURE = "io.parley.stream";
export const PATH = "/_parley/client/v1/stream";

/** The body of an answer of /sync; only its token matters here. */
export interface SyncAnswer {
  next_batch: string;
  to_device?: { events: unknown[] };
  [section: string]: unknown;
}

export type ServerFrame =
  | { type: "ready"; heartbeat_ms: number }
  | { type: "sync"; sync: SyncAnswer }
  | { type: "heartbeat"; next_batch: string }
  | { type: "go_away"; reconnect_in_ms: number }
  | { type: "error"; errcode: string; error: string };

export interface SignIn {
  ticket: string;
  since: string;
  filter?: string;
  set_presence?: string;
  "org.matrix.msc4222.use_state_after"?: boolean;
  use_state_after?: boolean;
}

export type ClientFrame =
  | ({ type: "sign_in" } & SignIn)
  | { type: "ack"; since: string }
  | { type: "presence"; set_presence: string }
  | { type: "ping" };

/** Why a connection ended. */
export interface Ending {
  code: number;
  /** What the server asked for, where it did. */
  reconnectIn_ms: number | undefined;
}

/** The delay in the reason of a close. */
export function delayIn(reason: string): number | undefined {
  try {
    const delay_ms: unknown = (JSON.parse(reason) as { reconnect_in_ms?: unknown }).reconnect_in_ms;
    return typeof delay_ms === "number" ? delay_ms : undefined;
  } catch {
    return undefined;
  }
}
