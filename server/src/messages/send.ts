/**
 * `PUT /rooms/{roomId}/send/{eventType}/{txnId}`. Specification: client-server-api, "Sending events to a room". And the same with POST and
 * without a transaction id, as it was before there were any: test suites and small tools still send so. Each such request is an event of
 * its own.
 */
import { z } from "zod";
import { timedQuery, timeGiven } from "../appservice/timestamp.ts";
import type { Context } from "../context.ts";
import { type Answer, encoded, type Request, route } from "../http.ts";
import { type Content, isObject } from "../rooms/rules/event.ts";
import { randomToken } from "../seams.ts";
import { delayOf, schedule } from "./delayed.ts";
import { afterRedaction } from "./redact.ts";
import { sendThroughQueue } from "./send-queue.ts";
import { append, newSending, type Sending } from "./sending.ts";

const PATH = "/_matrix/client/v3/rooms/:roomId/send/:eventType";
const sending = {
  access: "session",
  rate: "send",
  body: z.custom<Content>(isObject, "must be an object"),
  query: timedQuery,
} as const;

export const send = route({ ...sending, method: "PUT", path: `${PATH}/:txnId`, handle: sendMessage });

export const sendOnce = route({
  ...sending,
  method: "POST",
  path: PATH,
  handle: (request, ctx) =>
    sendMessage({ ...request, params: { ...request.params, txnId: `post-${randomToken(ctx.seams, 12)}` } }, ctx),
});

type SendRequest = Request<Content, z.output<typeof timedQuery>>;

async function sendMessage({ params, session, body, query }: SendRequest, ctx: Context): Promise<Answer | object> {
  const { roomId, eventType: type, txnId } = params as { roomId: string; eventType: string; txnId: string };
  const asked = { session, roomId, type, txnId, content: body };
  const delay_ms = delayOf(query);
  if (delay_ms !== undefined) return schedule(ctx, { ...asked, delay_ms });
  const eventId = await sendEvent(ctx, { ...asked, ts: timeGiven(session, query) });
  return encoded(`{"event_id":"${eventId}"}`);
}

/**
 * Sends the event, by way of the queue where there is one, and gives its id when it is committed and known here. The way of every
 * client, over HTTP or a stream: the same session and transaction id are the same event.
 */
export async function sendEvent(ctx: Context, asked: Omit<Sending, "eventId">): Promise<string> {
  const sending = newSending(ctx, asked);
  const eventId = await (ctx.queue ? sendThroughQueue(ctx, sending) : append(ctx, sending));
  if (asked.type === "m.room.redaction") await afterRedaction(ctx, asked.roomId, asked.content["redacts"]);
  return eventId;
}
