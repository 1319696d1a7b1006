/**
 * `GET /rooms/{roomId}/state` and `GET /rooms/{roomId}/state/{eventType}/{stateKey}`: the room as it is, or as it was when the
 * person left it. Specification: client-server-api, "Getting events for a room".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Answer, encoded, type Request, route } from "../http.ts";
import type { LogEntry } from "../log/entry.ts";
import { clientEventInRoom } from "../messages/client-event.ts";
import { readableRoom } from "./access.ts";
import { stateAt, stateEventAt } from "./history.ts";
import { contentOf } from "./state.ts";

export const getState = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/state",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const { room, access } = await readableRoom(ctx, params["roomId"] as string, session.userId);
    const entries =
      access.upTo === undefined
        ? [...room.all()].map((event) => event.entry)
        : await stateAt(ctx, room.roomId, { position: access.upTo });
    const events = entries.map((entry) => clientEventInRoom(entry, { sessionId: session.id }));
    return encoded(`[${events.join(",")}]`);
  },
});

const formatQuery = z.looseObject({ format: z.enum(["content", "event"]).optional() });

export const getStateEvent = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey",
  access: "session",
  rate: "other",
  query: formatQuery,
  handle: answerStateEvent,
});

export const getStateEventWithoutKey = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/state/:eventType",
  access: "session",
  rate: "other",
  query: formatQuery,
  handle: answerStateEvent,
});

async function answerStateEvent(
  { params, query, session }: Request<undefined, z.output<typeof formatQuery>>,
  ctx: Context,
): Promise<Answer> {
  const entry = await findStateEvent(ctx, session.userId, params);
  if (!entry) throw matrixError("M_NOT_FOUND", "The room has no state of this type and key.");
  if (query.format === "event") return encoded(clientEventInRoom(entry, { sessionId: session.id }));
  return encoded(JSON.stringify(contentOf(entry)));
}

async function findStateEvent(
  ctx: Context,
  userId: string,
  params: Record<string, string>,
): Promise<LogEntry | undefined> {
  const type = params["eventType"] as string;
  const stateKey = params["stateKey"] ?? "";
  const { room, access } = await readableRoom(ctx, params["roomId"] as string, userId);
  if (access.upTo === undefined) return room.get(type, stateKey)?.entry;
  return stateEventAt(ctx, room.roomId, { position: access.upTo, type, stateKey });
}
