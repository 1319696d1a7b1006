/** The operator's session in this browser: a cookie that no script can read, and what the server says about it. */
import { useQuery } from "@tanstack/react-query";
import { Problem, send, setCsrfToken, whenSignedOut } from "./api.ts";
import type { Ways } from "./frame/pages.ts";
import { client } from "./model/queries.ts";

export type Role = "auditor" | "operator" | "owner";

export interface Session {
  user_id: string;
  display_name: string | null;
  role: Role;
  /** Of this session and no other: it changes whenever the password is given. */
  csrf_token: string;
  /** Whether the account has a password that can be asked for. */
  has_password: boolean;
}

const ADDRESS = "/api/v1/session";
const KEY = ["session"];

/** Takes over what the server said of the session. */
function take(session: Session): Session {
  setCsrfToken(session.csrf_token);
  client.setQueryData(KEY, session);
  return session;
}

async function readSession({ signal }: { signal: AbortSignal }): Promise<Session | null> {
  try {
    return take(await send<Session>(ADDRESS, { signal }));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/** The session, null where nobody is signed in. */
export function useSession() {
  return useQuery({ queryKey: KEY, queryFn: readSession, staleTime: Infinity, retry: 1 });
}

/**
 * `goOn` is called before the console is shown. Throws a Problem with the server's sentence; its errcode is IO_PARLEY_SECOND_FACTOR where
 * the account needs a code too.
 */
export async function signIn(given: { user: string; password: string; code?: string }, goOn?: () => void) {
  await begin(await send<Session>(ADDRESS, { method: "POST", body: given }), goOn);
}

/** Takes over who has signed in at the server's own pages. */
export async function signInFromPages(goOn: () => void): Promise<void> {
  await begin(await send<Session>(`${ADDRESS}/from-pages`, { method: "POST" }), goOn);
}

async function begin(session: Session, goOn?: () => void): Promise<void> {
  // Who was signed in before may still be being asked: that nobody was, answered late, would show the sign-in page again.
  await client.cancelQueries({ queryKey: KEY });
  dropAnswers();
  goOn?.();
  take(session);
}

/** What else than a password this server lets operators in by. */
export function useWays() {
  return useQuery({ queryKey: ["ways"], queryFn: () => send<Ways>(`${ADDRESS}/ways`, {}), staleTime: Infinity });
}

/** As `confirmPassword`, by what was shown at the server's own pages. */
export async function confirmFromPages(): Promise<void> {
  take(await send<Session>(`${ADDRESS}/confirm/from-pages`, { method: "POST" }));
}

/** Gives the password again, so that writes are taken for the next 15 minutes. Throws as `signIn` where the account needs a code too. */
export async function confirmPassword(given: { password: string; code?: string }): Promise<void> {
  take(await send<Session>(`${ADDRESS}/confirm`, { method: "POST", body: given }));
}

/** Ends the session here and forgets everything that was read in it. */
export async function signOut(): Promise<void> {
  await send(ADDRESS, { method: "DELETE" });
  forget();
}

/** The server no longer knows the session: back to the sign-in page. */
function forget(): void {
  dropAnswers();
  client.setQueryData(KEY, null);
}

/** Nothing that was read in one session is shown in another. */
function dropAnswers(): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
}
whenSignedOut(forget);

const RANKS: Readonly<Record<Role, number>> = { auditor: 0, operator: 1, owner: 2 };

/** Whether a role holds what another one may. */
export function holds(role: Role, needed: Role): boolean {
  return RANKS[role] >= RANKS[needed];
}
