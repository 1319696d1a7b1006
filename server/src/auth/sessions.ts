/** Who an access token belongs to. */
import type { Db } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import type { Hub } from "../log/hub.ts";
import type { Seams } from "../seams.ts";

export interface Sessions {
  /** The session of an access token. Throws M_UNKNOWN_TOKEN. */
  authenticate(accessToken: string): Promise<Session>;
}

export function openSessions(_parts: { db: Db; hub: Hub; seams: Seams }): Sessions {
  return {
    authenticate: () => Promise.reject(matrixError("M_UNKNOWN_TOKEN", "This access token is not known.")),
  };
}
