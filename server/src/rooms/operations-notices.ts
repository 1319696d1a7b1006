/** What operators say to people in the name of the server. */
import { z } from "zod";
import { isActive } from "../auth/queries.ts";
import { userIdFrom } from "../auth/user-names.ts";
import { operation, type Operation } from "../console/operation.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { randomToken } from "../seams.ts";
import { sendNotice } from "./notices.ts";

const send = operation({
  id: "notices.send",
  method: "POST",
  path: "/users/:userId/notices",
  summary: "Says something to a person in the name of the server",
  description:
    "It is a message in the person's room for notices of the server. They are invited to it, and can not decline. The same key again is the same message.",
  role: "operator",
  body: z.object({
    text: z.string().trim().min(1).max(limits.webhookText_characters),
    key: z.string().min(1).max(100).optional(),
  }),
  answer: z.object({ room_id: z.string(), event_id: z.string() }),
  command: { name: "notice send", arguments: ["userId", "text"] },
  async handle({ params, body: { text, key }, audit }, ctx) {
    const userId = userIdFrom(ctx, params.userId);
    if (!(await isActive(ctx, userId))) throw matrixError("M_NOT_FOUND", `There is no ${userId} on this server.`);
    const sent = await sendNotice(ctx, { userId, text, key: key ?? randomToken(ctx.seams, 12) });
    // What was said is the person's to read.
    audit({
      target: userId,
      after: { room_id: sent.roomId, event_id: sent.eventId, size_bytes: Buffer.byteLength(text) },
    });
    return { room_id: sent.roomId, event_id: sent.eventId };
  },
});

export const noticeOperations: readonly Operation[] = [send];
