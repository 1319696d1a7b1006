/** `GET /rooms/{roomId}/event/{eventId}`. Specification: client-server-api, "Getting events for a room". */
import { encoded, route } from "../http.ts";
import { tell } from "./page.ts";
import { visibleEvent } from "./reading.ts";

export const event = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/event/:eventId",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const { reading, entry } = await visibleEvent(ctx, session, params as { roomId: string; eventId: string });
    const [json] = await tell(reading, [entry]);
    return encoded(json as string);
  },
});
