/** `PUT /rooms/{roomId}/send/{eventType}/{txnId}`. Specification: client-server-api, "Sending events to a room". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { type Answer, encoded, type Request, route } from "../http.ts";
import { type Content, isObject } from "../rooms/rules/event.ts";
import { submit } from "../rooms/submit.ts";
import { redactionProposal } from "./redact.ts";
import { checkRelation, hasCheckedRelation } from "./send-relations.ts";
import { transactionOf } from "./send-transaction.ts";

export const send = route({
  method: "PUT",
  path: "/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId",
  access: "session",
  rate: "send",
  body: z.custom<Content>(isObject, "must be an object"),
  handle: sendMessage,
});

async function sendMessage({ params, session, body }: Request<Content>, ctx: Context): Promise<Answer> {
  const roomId = params["roomId"] as string;
  const type = params["eventType"] as string;
  const sender = session.userId;
  const proposal = { sender, type, content: body };
  const isChecked = hasCheckedRelation(body);
  const eventId = await submit(ctx, {
    roomId,
    transaction: transactionOf(session, ["send", roomId, type], params["txnId"] as string),
    propose(room) {
      if (type === "m.room.redaction") return redactionProposal(ctx, room, proposal);
      return isChecked ? checkRelation(ctx, room, proposal) : proposal;
    },
  });
  return encoded(`{"event_id":"${eventId}"}`);
}
