/**
 * Access tokens that renew themselves.
 *
 * The SDK renews tokens of OAuth sessions only; tokens of `POST /refresh` are ours to renew. This is done under the
 * SDK, in the `fetch` that it uses: a token near its end is renewed before the request, and a request that was refused
 * as `M_UNKNOWN_TOKEN` with `soft_logout` is repeated once with a new token. What the SDK sees of all this is an answer.
 *
 * At most one renewal is under way at any time, in all tabs of the browser: a refresh token may be used only once. Who had to wait for
 * another tab finds its tokens in storage. That matters most to a tab that slept meanwhile: a server may end the session of a token
 * that comes again when its successor has been in use for a while.
 */
import { refresh, RequestError } from "./api.ts";
import { type Credentials, withTokens } from "./credentials.ts";

export interface TokenHolder {
  /** The present credentials. */
  read(): Credentials;
  /** Keeps renewed credentials, in storage and in the client. */
  write(credentials: Credentials): void;
}

/** Runs one thing after another, whichever tab begins it. */
export type Exclusively = <T>(run: () => Promise<T>) => Promise<T>;

export interface RenewingOptions {
  now?: () => number;
  exclusively?: Exclusively;
}

/** A `fetch` that carries the holder's present access token on each request that carries any. */
export function renewingFetch(
  holder: TokenHolder,
  { now = Date.now, exclusively = amongTabs }: RenewingOptions = {},
): typeof fetch {
  let renewal: Promise<boolean> | null = null;
  const renew = (worn: string) =>
    (renewal ??= exclusively(() => renewOnce(holder, worn)).finally(() => (renewal = null)));

  return async (resource, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has("Authorization")) return fetch(resource, init);
    const present = holder.read();
    if (isDue(present, now())) await renew(present.accessToken);
    const sent = holder.read().accessToken;
    const response = await fetch(resource, { ...init, headers: withToken(headers, sent) });
    const refusal = await refusalOf(response);
    if (!refusal) return response;
    // Another request, or another tab, may have renewed the token while this one was on its way: then whatever is said of the old
    // one, however final, says nothing of the session.
    if (holder.read().accessToken === sent && (refusal === "final" || !(await renew(sent)))) return response;
    return fetch(resource, { ...init, headers: withToken(headers, holder.read().accessToken) });
  };
}

const LOCK = "parley.refresh";

/** A tab that stands still while it has the lock loses it after this long. */
const PATIENCE_MS = 10_000;

const amongTabs: Exclusively = async (run) => {
  let isOurs = false;
  const ours = () => {
    isOurs = true;
    return run();
  };
  try {
    return await navigator.locks.request(LOCK, { signal: AbortSignal.timeout(PATIENCE_MS) }, ours);
  } catch (error) {
    if (isOurs) throw error;
    return navigator.locks.request(LOCK, { steal: true }, ours);
  }
};

function withToken(headers: Headers, token: string): Headers {
  headers.set("Authorization", `Bearer ${token}`);
  return headers;
}

function isDue(credentials: Credentials, now_ms: number): boolean {
  if (credentials.refreshToken === undefined || credentials.renewAt_ms === undefined) return false;
  return credentials.renewAt_ms <= now_ms;
}

/**
 * Replaces the access token `worn`, unless another tab has. False when the server refuses the refresh token: the session is over. Throws
 * when there is no answer.
 */
async function renewOnce(holder: TokenHolder, worn: string): Promise<boolean> {
  const credentials = holder.read();
  if (credentials.accessToken !== worn) return adopt(holder, credentials);
  if (credentials.refreshToken === undefined) return false;
  try {
    const answer = await refresh(credentials.baseUrl, credentials.refreshToken);
    holder.write(withTokens(credentials, answer));
    return true;
  } catch (error) {
    if (!(error instanceof RequestError) || error.httpStatus >= 500 || error.httpStatus === 429) throw error;
    // Refused, because a tab from which the lock was taken has used it.
    const present = holder.read();
    return present.accessToken !== worn && adopt(holder, present);
  }
}

/** Takes what another tab has put into storage. */
function adopt(holder: TokenHolder, credentials: Credentials): true {
  holder.write(credentials);
  return true;
}

/** Whether the server refuses the token, and leaves the session to be renewed or says that it is over ("Soft logout"). */
async function refusalOf(response: Response): Promise<"soft" | "final" | undefined> {
  if (response.status !== 401) return undefined;
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as Record<string, unknown>;
  if (body.errcode !== "M_UNKNOWN_TOKEN") return undefined;
  return body.soft_logout === true ? "soft" : "final";
}
