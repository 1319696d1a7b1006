/**
 * Access tokens that renew themselves.
 *
 * The SDK renews tokens of OAuth sessions only; tokens of `POST /refresh` are ours to renew. This is done under the
 * SDK, in the `fetch` that it uses: a token near its end is renewed before the request, and a request that was refused
 * as `M_UNKNOWN_TOKEN` with `soft_logout` is repeated once with a new token. What the SDK sees of all this is an answer.
 *
 * At most one renewal is under way at any time: a refresh token may be used only once.
 */
import { refresh, RequestError } from "./api.ts";
import { type Credentials, withTokens } from "./credentials.ts";

export interface TokenHolder {
  /** The present credentials. */
  read(): Credentials;
  /** Keeps renewed credentials, in storage and in the client. */
  write(credentials: Credentials): void;
}

/** A `fetch` that carries the holder's present access token on each request that carries any. */
export function renewingFetch(holder: TokenHolder, now: () => number = Date.now): typeof fetch {
  let renewal: Promise<boolean> | null = null;
  const renew = () => (renewal ??= renewOnce(holder).finally(() => (renewal = null)));

  return async (resource, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has("Authorization")) return fetch(resource, init);
    if (isDue(holder.read(), now())) await renew();
    const sent = holder.read().accessToken;
    const response = await fetch(resource, { ...init, headers: withToken(headers, sent) });
    if (!(await isSoftLogout(response))) return response;
    // Another request may have renewed the token while this one was on its way.
    if (holder.read().accessToken === sent && !(await renew())) return response;
    return fetch(resource, { ...init, headers: withToken(headers, holder.read().accessToken) });
  };
}

function withToken(headers: Headers, token: string): Headers {
  headers.set("Authorization", `Bearer ${token}`);
  return headers;
}

function isDue(credentials: Credentials, now_ms: number): boolean {
  if (credentials.refreshToken === undefined || credentials.renewAt_ms === undefined) return false;
  return credentials.renewAt_ms <= now_ms;
}

/** False when the server refuses the refresh token: the session is over. Throws when there is no answer. */
async function renewOnce(holder: TokenHolder): Promise<boolean> {
  const credentials = holder.read();
  if (credentials.refreshToken === undefined) return false;
  try {
    const answer = await refresh(credentials.baseUrl, credentials.refreshToken);
    holder.write(withTokens(credentials, answer));
    return true;
  } catch (error) {
    if (error instanceof RequestError && error.httpStatus < 500 && error.httpStatus !== 429) return false;
    throw error;
  }
}

async function isSoftLogout(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as Record<string, unknown>;
  return body.errcode === "M_UNKNOWN_TOKEN" && body.soft_logout === true;
}
