import { useOperator } from "../frame/context.ts";
import { useConnection } from "../model/connection.ts";
import { holds, type Role } from "../session.ts";

/** Why nothing can be changed now, in a sentence; null where it can be. */
export function useWriteBar(needed: Role = "operator"): string | null {
  const { isThere } = useConnection();
  const { role } = useOperator();
  if (!isThere) return "The server cannot be reached.";
  return holds(role, needed) ? null : `This needs the role ${needed}; yours is ${role}.`;
}
