/**
 * The few requests that are made before there is a session, with `fetch` alone: the sign-in screen must not wait for
 * the SDK and its WebAssembly.
 */

/** A refusal by the server. Its fields have the names that the SDK's `MatrixError` uses, so both read the same. */
export class RequestError extends Error {
  readonly httpStatus: number;
  readonly errcode?: string;
  readonly data: Record<string, unknown>;
  readonly retryAfter_ms?: number;

  constructor(httpStatus: number, data: Record<string, unknown>, retryAfter_ms?: number) {
    super(typeof data.error === "string" ? data.error : `HTTP ${httpStatus}`);
    this.name = "RequestError";
    this.httpStatus = httpStatus;
    this.data = data;
    if (typeof data.errcode === "string") this.errcode = data.errcode;
    if (retryAfter_ms !== undefined) this.retryAfter_ms = retryAfter_ms;
  }
}

/** What `/login`, `/register` and `/refresh` answer; `/refresh` leaves the ids out. */
export interface TokenAnswer {
  access_token: string;
  refresh_token?: string;
  expires_in_ms?: number;
}

export interface LoginAnswer extends TokenAnswer {
  user_id: string;
  device_id: string;
}

interface RequestOptions {
  method?: "GET" | "POST";
  body?: object;
  accessToken?: string;
  signal?: AbortSignal;
}

/**
 * One request to the Client-Server API, without credentials unless an access token is given.
 *
 * @throws RequestError when the server refuses; whatever `fetch` throws (a TypeError) when there is no answer.
 */
export async function request<T>(baseUrl: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await fetch(new URL(`/_matrix/client${path}`, baseUrl), {
    method: options.method ?? "GET",
    headers: {
      ...(options.body && { "Content-Type": "application/json" }),
      ...(options.accessToken && { Authorization: `Bearer ${options.accessToken}` }),
    },
    ...(options.body && { body: JSON.stringify(options.body) }),
    ...(options.signal && { signal: options.signal }),
    credentials: "omit",
  });
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (!response.ok) throw new RequestError(response.status, body, retryAfterOf(response));
  return body as T;
}

function retryAfterOf(response: Response): number | undefined {
  const header = response.headers.get("Retry-After");
  return header !== null && /^\d+$/.test(header) ? Number(header) * 1_000 : undefined;
}

/** Signs in with a password; `deviceId` is given when the same device comes back after a soft logout. POST /v3/login. */
export function logIn(
  baseUrl: string,
  login: { userName: string; password: string; deviceId?: string; deviceName: string },
): Promise<LoginAnswer> {
  return request(baseUrl, "/v3/login", {
    method: "POST",
    body: {
      type: "m.login.password",
      identifier: identifierOf(login.userName),
      password: login.password,
      initial_device_display_name: login.deviceName,
      refresh_token: true,
      ...(login.deviceId && { device_id: login.deviceId }),
    },
  });
}

/** Signs in with a token of the server's own pages, as `logIn` does with a password. POST /v3/login. */
export function logInByToken(
  baseUrl: string,
  login: { token: string; deviceId?: string; deviceName: string },
): Promise<LoginAnswer> {
  return request(baseUrl, "/v3/login", {
    method: "POST",
    body: {
      type: "m.login.token",
      token: login.token,
      initial_device_display_name: login.deviceName,
      refresh_token: true,
      ...(login.deviceId && { device_id: login.deviceId }),
    },
  });
}

/** `@` stands at the beginning of a user id, and in the middle of an address. */
function identifierOf(name: string): object {
  if (name.lastIndexOf("@") > 0) return { type: "m.id.thirdparty", medium: "email", address: name };
  return { type: "m.id.user", user: name };
}

/** Somebody by whom people sign in to this server. */
export interface Provider {
  id: string;
  name: string;
}

/** Those that there are; none where the server has none. GET /v3/login. */
export async function listProviders(baseUrl: string, signal: AbortSignal): Promise<readonly Provider[]> {
  const { flows } = await request<{ flows: { type: string; identity_providers?: Provider[] }[] }>(
    baseUrl,
    "/v3/login",
    {
      signal,
    },
  );
  return flows.find(({ type }) => type === "m.login.sso")?.identity_providers ?? [];
}

/** Ends a session. POST /v3/logout. */
export async function logOut(baseUrl: string, accessToken: string): Promise<void> {
  await request(baseUrl, "/v3/logout", { method: "POST", body: {}, accessToken });
}

/** Exchanges a refresh token. POST /v3/refresh. */
export function refresh(baseUrl: string, refreshToken: string): Promise<TokenAnswer> {
  return request(baseUrl, "/v3/refresh", { method: "POST", body: { refresh_token: refreshToken } });
}

/** Whether a user name is free. GET /v3/register/available answers 200, or an error that says why not. */
export async function checkUserName(baseUrl: string, userName: string, signal: AbortSignal): Promise<void> {
  await request(baseUrl, `/v3/register/available?username=${encodeURIComponent(userName)}`, { signal });
}

/** Whether a registration token can still be used. GET /v1/register/m.login.registration_token/validity. */
export async function isTokenValid(baseUrl: string, token: string): Promise<boolean> {
  const path = `/v1/register/m.login.registration_token/validity?token=${encodeURIComponent(token)}`;
  const answer = await request<{ valid: boolean }>(baseUrl, path);
  return answer.valid;
}
