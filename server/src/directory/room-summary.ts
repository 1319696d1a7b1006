/** `GET /v1/room_summary/{roomIdOrAlias}`. Specification: client-server-api, "Room discovery". */
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { roomOf } from "./aliases.ts";
import { mayKnowOf, readSizes, readStates, summaryOf } from "./summaries.ts";

export const roomSummary = route({
  method: "GET",
  path: "/_matrix/client/v1/room_summary/:roomIdOrAlias",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const roomId = await roomOf(ctx, params["roomIdOrAlias"] as string);
    const [states, sizes, memberships] = await Promise.all([
      readStates(ctx, [roomId]),
      readSizes(ctx, [roomId]),
      ctx.rooms.memberships(session.userId),
    ]);
    const state = states.get(roomId);
    // Who may not know of a room is told the same about one that does not exist.
    if (!state || !mayKnowOf(roomId, state, memberships))
      throw matrixError("M_NOT_FOUND", "There is no such room, or you may not see it.");
    const membership = memberships.get(roomId)?.membership ?? "leave";
    return { ...summaryOf(roomId, { state, joined: sizes.get(roomId) ?? 0 }), membership };
  },
});
