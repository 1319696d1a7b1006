import { createContext, use } from "react";
import { holds, type Role, type Session } from "../session.ts";

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in. Only for what stands inside of the console. */
export function useOperator(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("useOperator outside of a session");
  return session;
}

/** Whether the operator's role holds `needed`. */
export function useHolds(needed: Role): boolean {
  return holds(useOperator().role, needed);
}
