/** `POST /knock/{roomIdOrAlias}`: asking to be let in. Specification: client-server-api, "Knocking on rooms". */
import { profileOf } from "../account/profile.ts";
import { roomOf } from "../directory/aliases.ts";
import { route } from "../http.ts";
import { refuseBlocked } from "./blocked.ts";
import { currentMember, memberContent, memberProposal, reasonBody } from "./member-body.ts";
import { requireAllowed, submit } from "./submit.ts";

export const knock = route({
  method: "POST",
  path: "/_matrix/client/v3/knock/:roomIdOrAlias",
  access: "session",
  rate: "join",
  body: reasonBody,
  async handle({ params, session: { userId }, body: { reason } }, ctx) {
    const roomId = await roomOf(ctx, params["roomIdOrAlias"] as string);
    await refuseBlocked(ctx, roomId);
    const profile = await profileOf(ctx, userId);
    const proposal = memberProposal(userId, userId, memberContent("knock", { ...profile, reason }));
    await submit(ctx, {
      roomId,
      propose(room) {
        requireAllowed(room, proposal);
        return room.membership(userId) === "knock" ? currentMember(room, userId) : proposal;
      },
    });
    return { room_id: roomId };
  },
});
