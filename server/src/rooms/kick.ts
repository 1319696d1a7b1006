/** `POST /rooms/{roomId}/kick`, which also takes back an invitation. Specification: client-server-api, "Leaving rooms". */
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { memberContent, memberProposal, targetBody } from "./member-body.ts";
import { requireAllowed, submit } from "./submit.ts";

export const kick = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/kick",
  access: "session",
  rate: "other",
  body: targetBody,
  async handle({ params, session: { userId }, body: { user_id: target, reason } }, ctx) {
    const proposal = memberProposal(userId, target, memberContent("leave", { reason }));
    await submit(ctx, {
      roomId: params["roomId"] as string,
      propose(room) {
        // Who is in the room is nobody's business who may not kick; hence the rules come first.
        requireAllowed(room, proposal);
        const membership = room.membership(target);
        if (membership === undefined || membership === "leave" || membership === "ban")
          throw matrixError("M_FORBIDDEN", `${target} is not in this room.`);
        return proposal;
      },
    });
    return {};
  },
});
