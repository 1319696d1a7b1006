/** `POST /rooms/{roomId}/forget`. Specification: client-server-api, "Leaving rooms". */
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { forgetRoom } from "../log/queries.ts";

export const forget = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/forget",
  access: "session",
  rate: "other",
  async handle({ params, session: { userId } }, ctx) {
    const roomId = params["roomId"] as string;
    const forgotten = await forgetRoom(ctx.db.log, userId, roomId);
    if (forgotten === 0)
      throw matrixError("M_UNKNOWN", "You have not left this room, so it can not be forgotten.", { status: 400 });
    ctx.rooms.forgot(userId, roomId);
    return {};
  },
});
