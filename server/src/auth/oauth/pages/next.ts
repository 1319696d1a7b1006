/** Where somebody goes on after they have signed in. */
import { paths } from "../addresses.ts";

const OWN = [paths.interaction, paths.link, paths.account, paths.sso];

/**
 * The path and query of one of our own pages; the account page for anything else: no link to the sign-in page can send people on to
 * somebody else's.
 */
export function nextOf(given: unknown): string {
  if (typeof given !== "string" || !given.startsWith("/")) return paths.account;
  const url = URL.parse(given, "http://here.invalid");
  if (url?.host !== "here.invalid" || given.includes("\\")) return paths.account;
  const isOwn = OWN.some((path) => url.pathname === path || url.pathname.startsWith(`${path}/`));
  return isOwn ? url.pathname + url.search : paths.account;
}

/** The address of a page that goes on to `next`. */
export function withNext(path: string, next: string): string {
  return `${path}?${new URLSearchParams({ next }).toString()}`;
}
