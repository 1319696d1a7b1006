/** The paths of the presence domain: typing, presence and receipts. */
import { z } from "zod";
import { requireOwn } from "../account/own.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { reportDecryptions } from "./decryptions.ts";
import { startReceiptWorker } from "./receipts-write.ts";
import { presenceContent } from "./content.ts";
import { receiptRoutes } from "./receipts.ts";

// Clients in languages without truth values write 1 and 0.
const truth = z.union([z.boolean(), z.literal([0, 1]).transform((value) => value === 1)], {
  error: "must be a boolean",
});
const typingBody = z.looseObject({ typing: truth, timeout: z.number().int().min(0).optional() });
const presenceBody = z.looseObject({
  presence: z.enum(["online", "offline", "unavailable"]),
  status_msg: z.string().max(limits.displayname_bytes).nullish(),
});

/** People see the presence of those with whom they share a room, and their own. */
async function sharesRoom(ctx: Context, userId: string, other: string): Promise<boolean> {
  if (userId === other) return true;
  const theirs = await ctx.rooms.memberships(other);
  for (const [roomId, { membership }] of await ctx.rooms.memberships(userId))
    if (membership === "join" && theirs.get(roomId)?.membership === "join") return true;
  return false;
}

const PRESENCE = "/_matrix/client/v3/presence/:userId/status";

/** Where there is a queue, this process is one of those that write the receipts in it, unless the settings say that others are. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  return ctx.queue && ctx.config.isQueueWorker ? startReceiptWorker(ctx, ctx.queue) : async () => {};
}

export const routes: readonly Route[] = [
  ...receiptRoutes,
  reportDecryptions,
  route({
    method: "PUT",
    path: "/_matrix/client/v3/rooms/:roomId/typing/:userId",
    access: "session",
    rate: "other",
    body: typingBody,
    async handle({ session, params, body }, ctx) {
      requireOwn(session, params["userId"]);
      const room = await ctx.rooms.load(params["roomId"] as string);
      if (room.membership(session.userId) !== "join") throw matrixError("M_FORBIDDEN", "You are not in this room.");
      const timeout_ms = body.typing ? Math.min(body.timeout ?? limits.typingDefault_ms, limits.typing_ms) : 0;
      ctx.ephemeral.setTyping({ roomId: room.roomId, userId: session.userId, timeout_ms });
      await ctx.ephemeral.written();
      return {};
    },
  }),
  route({
    method: "PUT",
    path: PRESENCE,
    access: "session",
    rate: "other",
    body: presenceBody,
    async handle({ session, params, body }, ctx) {
      requireOwn(session, params["userId"]);
      ctx.ephemeral.setPresence(session.userId, {
        sessionId: session.id,
        state: body.presence,
        statusMessage: body.status_msg,
        active: true,
        timeout_ms: limits.presence_ms,
      });
      await ctx.ephemeral.written();
      return {};
    },
  }),
  route({
    method: "GET",
    path: PRESENCE,
    access: "session",
    async handle({ session, params }, ctx) {
      const userId = params["userId"] as string;
      if (!(await sharesRoom(ctx, session.userId, userId)))
        throw matrixError("M_FORBIDDEN", "You share no room with this person.");
      const presence = ctx.ephemeral.presence(userId);
      return presence ? presenceContent(presence, ctx.seams.now_ms()) : { presence: "offline" };
    },
  }),
];
