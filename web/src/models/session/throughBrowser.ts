/**
 * Signing in on the server's own pages, for who has a passkey or a second factor, or by a provider: the browser leaves for them, and comes back
 * with a token for POST /login. Specification: client-server-api, "Client login via SSO".
 *
 * The address that it comes back to has a random state, which this tab keeps: a token that somebody sends in a link of their own signs
 * nobody in to their account.
 */

const KEY = "parley.leftToSignIn";
const STATE_BYTES = 16;

/** The tab's own storage: another tab has not left. */
interface Tab {
  location: Pick<Location, "origin" | "href">;
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
}

const thisTab = (): Tab => ({ location, storage: sessionStorage });

export interface Leaving {
  /** The id of a provider by whom somebody signs in. */
  provider?: string;
  /** Whether somebody leaves to make an account. Specification: "OAuth 2.0 aware clients". */
  isNew?: boolean;
}

/** Where the browser goes: to the server's pages, or by them to a provider. */
export function addressToLeaveFor(
  baseUrl: string,
  { location, storage }: Tab = thisTab(),
  { provider, isNew = false }: Leaving = {},
): string {
  const bytes = crypto.getRandomValues(new Uint8Array(STATE_BYTES));
  const state = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  storage.setItem(KEY, state);
  const redirectUrl = `${location.origin}/login?${new URLSearchParams({ state }).toString()}`;
  const query = new URLSearchParams({ redirectUrl, ...(isNew && { action: "register" }) }).toString();
  const to = provider === undefined ? "" : `/${encodeURIComponent(provider)}`;
  return new URL(`/_matrix/client/v3/login/sso/redirect${to}?${query}`, baseUrl).href;
}

/** The token that the browser came back with; undefined where it did not leave from this tab. It can be taken once. */
export function takeLoginToken({ location, storage }: Tab = thisTab()): string | undefined {
  const query = new URL(location.href).searchParams;
  const [token, state, left] = [query.get("loginToken"), query.get("state"), storage.getItem(KEY)];
  if (token === null) return undefined;
  storage.removeItem(KEY);
  return left !== null && state === left ? token : undefined;
}
