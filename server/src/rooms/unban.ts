/** `POST /rooms/{roomId}/unban`. Specification: client-server-api, "Banning users in a room". */
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { memberContent, memberProposal, targetBody } from "./member-body.ts";
import { requireAllowed, submit } from "./submit.ts";

export const unban = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/unban",
  access: "session",
  rate: "other",
  body: targetBody,
  async handle({ params, session: { userId }, body: { user_id: target, reason } }, ctx) {
    const proposal = memberProposal(userId, target, memberContent("leave", { reason }));
    await submit(ctx, {
      roomId: params["roomId"] as string,
      propose(room) {
        requireAllowed(room, proposal);
        // The same event would kick somebody who is not banned.
        if (room.membership(target) !== "ban")
          throw matrixError("M_BAD_STATE", `${target} is not banned from this room.`, { status: 403 });
        return proposal;
      },
    });
    return {};
  },
});
