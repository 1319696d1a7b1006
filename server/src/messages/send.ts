/** `PUT /rooms/{roomId}/send/{eventType}/{txnId}`. Specification: client-server-api, "Sending events to a room". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { type Answer, encoded, type Request, route } from "../http.ts";
import { type Content, isObject } from "../rooms/rules/event.ts";
import { sendThroughQueue } from "./send-queue.ts";
import { append, newSending } from "./sending.ts";

export const send = route({
  method: "PUT",
  path: "/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId",
  access: "session",
  rate: "send",
  body: z.custom<Content>(isObject, "must be an object"),
  handle: sendMessage,
});

async function sendMessage({ params, session, body }: Request<Content>, ctx: Context): Promise<Answer> {
  const sending = newSending(ctx, {
    session,
    roomId: params["roomId"] as string,
    type: params["eventType"] as string,
    txnId: params["txnId"] as string,
    content: body,
  });
  const eventId = ctx.queue ? await sendThroughQueue(ctx, sending) : await append(ctx, sending);
  return encoded(`{"event_id":"${eventId}"}`);
}
