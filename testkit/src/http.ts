// Plain requests to a server under test. Every answer is checked against the specification, where there is one.

// Not the global functions, which quiet-sdk.ts changes.
import { clearTimeout, setTimeout } from "node:timers";
import { checkedFetch } from "./checked-fetch.ts";

/** How long a request may stay unanswered: far longer than any answer takes, also one that waits for news. */
const PATIENCE_MS = 60_000;

/** A JSON object whose members a test knows better than the compiler. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export type Sent = {
  /** The access token. */
  token?: string;
  /** A JSON value, or bytes that are sent as they are. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** How long it may stay unanswered, where that is not a minute. */
  patience_ms?: number;
};

export type Received = { status: number; headers: Headers; body: Json };

/**
 * Sends one request: `await request(server.url, "POST", "/_matrix/client/v3/login", { body })`. The body of a JSON answer is
 * parsed; any other is given as bytes. An answer of 400 and more is an answer like others: assert its status. Throws where a server
 * that has the request leaves it unanswered.
 */
export async function request(url: string, ...[method, path, sent = {}]: [string, string, Sent?]): Promise<Received> {
  const { patience_ms = PATIENCE_MS, signal } = sent;
  const givingUp = new AbortController();
  const giveUp = () => givingUp.abort(new Error(`${url} did not answer ${method} ${path} within ${patience_ms} ms.`));
  const timer = setTimeout(giveUp, patience_ms);
  try {
    const signals = signal ? [givingUp.signal, signal] : [givingUp.signal];
    return await ask(url + path, method, { ...sent, signal: AbortSignal.any(signals) });
  } catch (thrown) {
    // While the body comes, `fetch` throws an error of its own.
    throw givingUp.signal.aborted ? givingUp.signal.reason : thrown;
  } finally {
    clearTimeout(timer);
  }
}

async function ask(address: string, method: string, sent: Sent & { signal: AbortSignal }): Promise<Received> {
  const isRaw = sent.body instanceof Uint8Array;
  const response = await checkedFetch(address, {
    method,
    headers: {
      ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
      ...(sent.body === undefined ? {} : { "content-type": isRaw ? "application/octet-stream" : "application/json" }),
      ...sent.headers,
    },
    ...(sent.body === undefined ? {} : { body: isRaw ? (sent.body as BodyInit) : JSON.stringify(sent.body) }),
    signal: sent.signal,
  });
  const isJson = /^application\/json\b/.test(response.headers.get("content-type") ?? "");
  const body: unknown = isJson ? await response.json() : Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

/**
 * As `request`, for who tries again: undefined where there was no connection, or it broke before the whole answer had come. Whatever
 * else is wrong is thrown, and no reason to try again: an answer that the specification does not allow, or none at all.
 */
export async function tryRequest(...given: Parameters<typeof request>): Promise<Received | undefined> {
  try {
    return await request(...given);
  } catch (thrown) {
    // So does `fetch` tell of connections; mistakes in a program are TypeErrors without a cause.
    if (thrown instanceof TypeError && thrown.cause !== undefined) return undefined;
    throw thrown;
  }
}

/** Somebody who is signed in, and their requests. */
export type Person = {
  userId: string;
  deviceId: string;
  token: string;
  /** Where one was asked for. */
  refreshToken: string | undefined;
  /** The answer's body; throws where the status is not 200. */
  call(method: string, path: string, body?: unknown): Promise<Json>;
  /** The whole answer, whatever its status. */
  ask(method: string, path: string, body?: unknown): Promise<Received>;
};

/** What a client may ask for when it signs in. */
export type SignIn = { device_id?: string; refresh_token?: boolean; initial_device_display_name?: string };

/** Registers an account on an open server and signs it in. The password is "password of <name>". */
export async function registerPerson(url: string, name: string, device: SignIn = {}): Promise<Person> {
  const body = { username: name, password: `password of ${name}`, auth: { type: "m.login.dummy" }, ...device };
  return personOf(url, accepted(await request(url, "POST", "/_matrix/client/v3/register", { body }), "register"));
}

/** Signs an account in on one more device. */
export async function signInPerson(url: string, name: string, device: SignIn = {}): Promise<Person> {
  const identifier = { type: "m.id.user", user: name };
  const body = { type: "m.login.password", identifier, password: `password of ${name}`, ...device };
  return personOf(url, accepted(await request(url, "POST", "/_matrix/client/v3/login", { body }), "login"));
}

/** Makes a guest of a server that has guests. */
export async function registerGuest(url: string, body: object = {}): Promise<Person> {
  return personOf(
    url,
    accepted(await request(url, "POST", "/_matrix/client/v3/register?kind=guest", { body }), "register"),
  );
}

/** The requests of somebody who has signed in already; `signedIn` is as the answer of a login. */
export function personOf(url: string, signedIn: Json): Person {
  const token = signedIn.access_token as string;
  const ask: Person["ask"] = (method, path, body) => request(url, method, path, { token, body });
  const call: Person["call"] = async (method, path, body) =>
    accepted(await ask(method, path, body), `${method} ${path}`);
  const { user_id: userId, device_id: deviceId, refresh_token: refreshToken } = signedIn;
  return { userId, deviceId, token, refreshToken, call, ask };
}

function accepted(answer: Received, what: string): Json {
  if (answer.status === 200) return answer.body;
  throw new Error(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}
