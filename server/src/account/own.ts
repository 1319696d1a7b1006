/** Many paths name the user they are about; most of them allow only one's own. */
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";

/** Throws M_FORBIDDEN where the path names somebody else. */
export function requireOwn(session: Session, userId: string | undefined): void {
  if (session.userId !== userId)
    throw matrixError("M_FORBIDDEN", "This is another person's. You may read and change only your own.");
}
