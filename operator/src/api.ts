/**
 * The operator API as the browser reaches it: `/api/admin/v1` with the session's cookie. Writes carry the session's CSRF token, and are
 * repeated after the operator has given the password again where the API asks for that.
 */
import { confirmAgain } from "./model/confirmation.ts";
import { answered, unreachable } from "./model/connection.ts";

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** What an API answers where it does not do what it was asked. `requestId` finds the request in the server's logs. */
export class Problem extends Error {
  readonly status: number;
  readonly errcode: string;
  readonly requestId: string | undefined;
  /** The other members of the answer, such as the role that is needed. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>, requestId?: string) {
    super(typeof body["error"] === "string" ? body["error"] : `The server answered with ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.errcode = typeof body["errcode"] === "string" ? body["errcode"] : "M_UNKNOWN";
    this.requestId = requestId;
    this.fields = body;
  }
}

/** The API could not be reached: no network, or nobody there. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

const BASE = "/api/admin/v1";
let csrf = "";
let onSignedOut: () => void = () => undefined;

/** Takes the token that every write must carry. The session's answers have it. */
export function setCsrfToken(token: string): void {
  csrf = token;
}

/** Says what is to be done when the server no longer knows the session. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/** The address of an operation, for a link that the browser follows itself. */
export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/**
 * Calls an operation. `path` is below `/api/admin/v1`, with its parameters encoded (see `pathOf`).
 *
 * @throws Problem with the API's sentence, Unreachable, or what the signal was ended with.
 */
export async function call<T>(path: string, { query, ...rest }: Call = {}): Promise<T> {
  const address = addressOf(path, query);
  return confirming(() => send<T>(address, rest));
}

/** The same for an operation whose answer is a stream: gives the response as soon as it begins. A file is sent as it is. */
export async function callStream(path: string, { query, ...rest }: Call = {}): Promise<Response> {
  const address = addressOf(path, query);
  return confirming(async () => {
    const response = await open(address, rest);
    if (!response.ok) await read(response);
    answered();
    return response;
  });
}

/** Once more where the password was asked for in between. */
async function confirming<T>(act: () => Promise<T>): Promise<T> {
  const session = csrf;
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.errcode === "IO_PARLEY_CONFIRM") {
      await confirmAgain(error);
      return act();
    }
    // What was asked in the session before says nothing of this one, however late it is answered.
    if (error.status === 401 && csrf === session) onSignedOut();
    throw error;
  }
}

/** One request to an address of our own origin; `call` is the one for operations. */
export async function send<T>(address: string, asked: Call): Promise<T> {
  return read<T>(await open(address, asked));
}

async function open(address: string, { method = "GET", body, signal }: Call): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  const isFile = body instanceof Blob;
  if (body !== undefined) headers["content-type"] = isFile ? "application/octet-stream" : "application/json";
  const request: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) request.body = isFile ? body : JSON.stringify(body);
  if (signal) request.signal = signal;
  return fetch(address, request).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    unreachable();
    throw new Unreachable(error);
  });
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  const body = parse(text);
  // A proxy in front of a server that is away answers in its own words.
  if (response.status >= 502 && response.status <= 504 && !("errcode" in body)) {
    unreachable();
    throw new Unreachable(new Error(`a proxy answered with ${response.status}`));
  }
  answered();
  if (!response.ok) throw new Problem(response.status, body, response.headers.get("x-request-id") ?? undefined);
  return body as T;
}

function parse(text: string): Record<string, unknown> {
  if (text === "") return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A path with its parameters encoded: pathOf`/users/${userId}/devices`. */
export function pathOf(texts: TemplateStringsArray, ...values: string[]): string {
  return texts
    .map((text, index) => text + (index < values.length ? encodeURIComponent(values[index] ?? "") : ""))
    .join("");
}
