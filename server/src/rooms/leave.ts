/**
 * `POST /rooms/{roomId}/leave`: leaving, declining an invitation, taking back a knock.
 * Specification: client-server-api, "Leaving rooms".
 */
import { route } from "../http.ts";
import { currentMember, memberContent, memberProposal, reasonBody } from "./member-body.ts";
import { requireDeclinable } from "./notices.ts";
import { submit } from "./submit.ts";

export const leave = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/leave",
  access: "session",
  rate: "other",
  body: reasonBody,
  async handle({ params, session: { userId }, body: { reason } }, ctx) {
    const proposal = memberProposal(userId, userId, memberContent("leave", { reason }));
    await submit(ctx, {
      roomId: params["roomId"] as string,
      // Leaving twice is leaving once: clients repeat a request whose answer they did not get.
      propose(room) {
        requireDeclinable(ctx, room, userId);
        return room.membership(userId) === "leave" ? currentMember(room, userId) : proposal;
      },
    });
    return {};
  },
});
