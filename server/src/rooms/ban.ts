/** `POST /rooms/{roomId}/ban`. Specification: client-server-api, "Banning users in a room". */
import { route } from "../http.ts";
import { currentMember, memberContent, memberProposal, targetBody } from "./member-body.ts";
import { requireAllowed, submit } from "./submit.ts";

export const ban = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/ban",
  access: "session",
  rate: "other",
  body: targetBody,
  async handle({ params, session: { userId }, body: { user_id: target, reason } }, ctx) {
    const proposal = memberProposal(userId, target, memberContent("ban", { reason }));
    await submit(ctx, {
      roomId: params["roomId"] as string,
      propose(room) {
        requireAllowed(room, proposal);
        return room.membership(target) === "ban" ? currentMember(room, target) : proposal;
      },
    });
    return {};
  },
});
