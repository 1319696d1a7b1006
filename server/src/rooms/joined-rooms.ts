/** `GET /joined_rooms`. Specification: client-server-api, "Joining rooms". */
import { route } from "../http.ts";

export const joinedRooms = route({
  method: "GET",
  path: "/_matrix/client/v3/joined_rooms",
  access: "session",
  rate: "other",
  async handle({ session }, ctx) {
    const memberships = await ctx.rooms.memberships(session.userId);
    const joined = [...memberships].filter(([, { membership }]) => membership === "join");
    return { joined_rooms: joined.map(([roomId]) => roomId) };
  },
});
