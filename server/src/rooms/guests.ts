/** Guests in rooms: where they come in, and that they go when a room lets no guests in any more. Specification: client-server-api, "Guest access". */
import { forbidden, guestsAmong } from "../auth/guests.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { currentMember, memberContent, memberProposal } from "./member-body.ts";
import type { RoomState } from "./state.ts";
import { type Proposal, submit } from "./submit.ts";

export const GUEST_ACCESS = "m.room.guest_access";

function letsGuestsIn(room: RoomState): boolean {
  return room.get(GUEST_ACCESS)?.content["guest_access"] === "can_join";
}

/** Throws M_GUEST_ACCESS_FORBIDDEN where a guest comes into a room that lets no guests in, or asks somebody else into one. */
export async function refuseGuest(ctx: Context, room: RoomState, { sender, content }: Proposal): Promise<void> {
  const { membership } = content;
  if (!ctx.config.guests || membership === "leave" || membership === "ban") return;
  if (membership === "join" && letsGuestsIn(room)) return;
  if ((await guestsAmong(ctx, [sender])).length === 0) return;
  throw forbidden(
    membership === "join"
      ? "This room lets no guests in. Register an account."
      : "Guests join rooms and leave them, and ask nobody in.",
  );
}

/**
 * Takes the guests out of a room that lets none in any more; of the others it does nothing. Whoever made it so waits for this, and a
 * repeated request does what is left.
 */
export async function dismissGuests(ctx: Context, roomId: string): Promise<void> {
  if (!ctx.config.guests) return;
  const room = await ctx.rooms.load(roomId);
  if (letsGuestsIn(room)) return;
  const guests = await guestsAmong(ctx, [...room.joined()]);
  for (let start = 0; start < guests.length; start += limits.fanOut_rooms)
    await Promise.all(guests.slice(start, start + limits.fanOut_rooms).map((userId) => dismiss(ctx, roomId, userId)));
}

/** A room that lets guests in again meanwhile keeps its guests. */
async function dismiss(ctx: Context, roomId: string, userId: string): Promise<void> {
  const proposal = memberProposal(userId, userId, memberContent("leave", {}));
  await submit(ctx, {
    roomId,
    propose: (room) =>
      room.membership(userId) !== "join" || letsGuestsIn(room) ? currentMember(room, userId) : proposal,
  });
}
