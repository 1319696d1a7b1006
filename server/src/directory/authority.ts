/** Who may say how a room is found: by which aliases, and whether in the published directory. */
import { isAdmin } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { powerOf, requiredPower } from "../rooms/rules/power.ts";
import type { RoomState } from "../rooms/state.ts";

export const CANONICAL_ALIAS = "m.room.canonical_alias";

/**
 * Throws M_FORBIDDEN unless the person may say how the room is found: with the power to set its canonical alias, or as an
 * administrator of the server.
 */
export async function requireAuthority(ctx: Context, room: RoomState, { userId }: Session): Promise<void> {
  const isMember = room.membership(userId) === "join";
  if (isMember && powerOf(room, userId) >= requiredPower(room, CANONICAL_ALIAS, true)) return;
  if (await isAdmin(ctx, userId)) return;
  throw matrixError("M_FORBIDDEN", "You do not have the power to say how this room is found.");
}
