/**
 * Reports of events, rooms and people, kept for the administrators. Specification: client-server-api, "Reporting Content".
 *
 * A report of a room or a person is taken whether or not they exist, so the answer and the time that it takes say nothing
 * about that. An event is reported by members of its room only.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { isRoomId, isUserId } from "../rooms/rules/identifiers.ts";
import { visibleEvent } from "../messages/reading.ts";

interface Report {
  reporter: string;
  roomId?: string;
  eventId?: string;
  userId?: string;
  reason: string;
}

const reason = z
  .string()
  .max(limits.reportReason_characters)
  // The database's texts hold no NUL.
  .transform((text) => text.replaceAll("\0", "").toWellFormed());

const reportEvent = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/report/:eventId",
  access: "session",
  rate: "report",
  body: z.looseObject({ reason: reason.default("") }),
  async handle({ params, session, body }, ctx) {
    const { roomId, eventId } = params as { roomId: string; eventId: string };
    const { reading, entry } = await visibleEvent(ctx, session, { roomId, eventId });
    if (reading.room.membership(session.userId) !== "join")
      throw matrixError("M_NOT_FOUND", "There is no such event, or you may not see it.");
    const userId = entry.userId as string;
    return store(ctx, { reporter: session.userId, roomId, eventId, userId, reason: body.reason });
  },
});

const reportRoom = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/report",
  access: "session",
  rate: "report",
  body: z.looseObject({ reason }),
  handle({ params, session, body }, ctx) {
    const roomId = params["roomId"] as string;
    if (!isRoomId(roomId)) throw matrixError("M_INVALID_PARAM", `"${roomId}" is not a room id.`);
    return store(ctx, { reporter: session.userId, roomId, reason: body.reason });
  },
});

const reportUser = route({
  method: "POST",
  path: "/_matrix/client/v3/users/:userId/report",
  access: "session",
  rate: "report",
  body: z.looseObject({ reason }),
  handle({ params, session, body }, ctx) {
    const userId = params["userId"] as string;
    if (!isUserId(userId)) throw matrixError("M_INVALID_PARAM", `"${userId}" is not a user id.`);
    return store(ctx, { reporter: session.userId, userId, reason: body.reason });
  },
});

async function store(ctx: Context, { reporter, roomId, eventId, userId, reason }: Report): Promise<object> {
  await ctx.db.rooms.change(
    "insert into rooms.reports (reporter, room_id, event_id, user_id, reason) values ($1, $2, $3, $4, $5)",
    [reporter, roomId ?? null, eventId ?? null, userId ?? null, reason],
  );
  return {};
}

export const reportRoutes: readonly Route[] = [reportEvent, reportRoom, reportUser];
