/** Where somebody goes on after they have signed in. */
import { paths } from "../addresses.ts";

/** Of the operator console, which takes over who has signed in. */
const CONSOLE = "/admin/signed-in";

const OWN = [paths.interaction, paths.link, paths.account, paths.sso, CONSOLE];

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

/** Whether somebody goes on to the operator console, where more is asked of a sign-in. */
export function isOfConsole(next: string): boolean {
  return next === CONSOLE || next.startsWith(`${CONSOLE}?`);
}

/** The address of a page that goes on to `next`. */
export function withNext(path: string, next: string): string {
  return `${path}?${new URLSearchParams({ next }).toString()}`;
}
