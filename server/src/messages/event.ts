/** `GET /rooms/{roomId}/event/{eventId}`. Specification: client-server-api, "Getting events for a room". */
import type { Context } from "../context.ts";
import { type Answer, encoded, route, type Session } from "../http.ts";
import { readEvent } from "../log/queries.ts";
import { tell } from "./page.ts";
import { visibleEvent } from "./reading.ts";

export const event = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/event/:eventId",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    return tellOne(ctx, session, params as { roomId: string; eventId: string });
  },
});

/** `GET /events/{eventId}`: the same where the client does not know the room. Specification: "Old-style endpoints". */
export const eventAlone = route({
  method: "GET",
  path: "/_matrix/client/v3/events/:eventId",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const eventId = params["eventId"] as string;
    const entry = await readEvent(ctx.db.log, eventId);
    return tellOne(ctx, session, { roomId: entry?.roomId ?? "", eventId });
  },
});

async function tellOne(ctx: Context, session: Session, of: { roomId: string; eventId: string }): Promise<Answer> {
  const { reading, entry } = await visibleEvent(ctx, session, of);
  const [json] = await tell(reading, [entry]);
  return encoded(json as string);
}
