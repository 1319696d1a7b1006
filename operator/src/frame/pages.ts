/**
 * The way over the server's own sign-in pages, for a passkey or a provider. They come back to `/admin/signed-in`: in this window, where
 * somebody signs in, or in one of its own, where a write waits here for a proof. That one tells all windows of the console, since what it
 * showed in between may have cut it off from the one that opened it.
 */
const SIGNED_IN = "/admin/signed-in";
const CHANNEL = "parley-console-signed-in";

export interface Ways {
  /** Whether the sign-in pages are at this address. */
  pages: boolean;
  providers: { id: string; name: string }[];
}

const withNext = (path: string, next: string) => `${path}?${new URLSearchParams({ next }).toString()}`;

/** The page on which one signs in, or the provider; from there it goes on to where the console is now. */
export function signInAddress(provider?: string): string {
  const { pathname, search } = location;
  const isHere = pathname === SIGNED_IN;
  const to = isHere ? (new URLSearchParams(search).get("to") ?? "/admin/") : pathname + search;
  const path = provider === undefined ? "/oauth2/sign-in" : `/oauth2/upstream/${encodeURIComponent(provider)}`;
  return withNext(path, `${SIGNED_IN}?${new URLSearchParams({ to }).toString()}`);
}

/** Opens the sign-in page in a window of its own. */
export function openSignIn(): void {
  window.open(withNext("/oauth2/sign-in", `${SIGNED_IN}?for=confirm`), "_blank", "popup,width=520,height=760");
}

/** What this window came back for; undefined where it did not. */
export function arrival(): "sign-in" | "confirm" | undefined {
  if (location.pathname !== SIGNED_IN) return undefined;
  return new URLSearchParams(location.search).get("for") === "confirm" ? "confirm" : "sign-in";
}

/** Shows the address that was asked for first; one that is none of the console's becomes the overview. */
export function goOn(): void {
  const to = new URLSearchParams(location.search).get("to") ?? "";
  const url = URL.parse(to, location.origin);
  const isOurs = url?.origin === location.origin && (url.pathname === "/admin" || url.pathname.startsWith("/admin/"));
  history.replaceState(null, "", isOurs && url.pathname !== SIGNED_IN ? url.pathname + url.search : "/admin/");
}

/** Tells the window that waits, and closes this one where the browser allows that. */
export function tellWaiting(): void {
  const channel = new BroadcastChannel(CHANNEL);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A channel has none: it is of this origin alone.
  channel.postMessage("signed-in");
  channel.close();
  window.close();
}

/** Calls `act` whenever somebody has signed in in another window; gives the function that ends it. */
export function whenSignedIn(act: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", act);
  return () => channel.close();
}
