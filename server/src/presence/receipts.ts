/** Receipts and the fully-read marker. Specification: client-server-api, receipts and read markers modules. */
import { z } from "zod";
import { putAccountData } from "../account/data.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import type { LogEntry } from "../log/entry.ts";
import { readEvent } from "../log/queries.ts";
import { isEventId } from "../rooms/rules/identifiers.ts";
import { keepReceipts, type Receipt, type ReceiptType } from "./receipts-write.ts";

/** The event, if it is in the room and the person is too. */
async function eventIn(
  ctx: Context,
  userId: string,
  { roomId, eventId }: { roomId: string; eventId: string },
): Promise<LogEntry> {
  const room = await ctx.rooms.load(roomId);
  if (room.membership(userId) !== "join") throw matrixError("M_FORBIDDEN", "You are not in this room.");
  const event = ctx.log.tail.event(eventId) ?? (await readEvent(ctx.db.log, eventId));
  if (event?.roomId !== roomId) throw matrixError("M_NOT_FOUND", "There is no such event in this room.");
  return event;
}

/** A thread is named by its root, "main" by what is in none. Specification: "Threaded read receipts". */
function checkThread(threadId: string | undefined, event: LogEntry): void {
  if (threadId === undefined) return;
  if (threadId !== "main" && !isEventId(threadId))
    throw matrixError("M_INVALID_PARAM", "thread_id must be an event id or main.");
  const isIn =
    event.relationType === "m.thread"
      ? event.relatesTo === threadId
      : threadId === "main" || event.eventId === threadId;
  // What relates to an event of a thread, such as a reaction, is in the thread too; only the clear mistake is refused.
  if (
    !isIn &&
    event.relationType !== "m.annotation" &&
    event.relationType !== "m.reference" &&
    event.relationType !== "m.replace"
  )
    throw matrixError("M_INVALID_PARAM", "The event is not in this thread.");
}

function receiptAt(
  ctx: Context,
  userId: string,
  { type, event, threadId }: { type: ReceiptType; event: LogEntry; threadId?: string | undefined },
): Receipt {
  const { roomId, eventId, position } = event as LogEntry & { roomId: string; eventId: string };
  return { roomId, userId, type, threadId, eventId, position, ts: ctx.seams.now_ms() };
}

/** Moves the fully-read marker forward. */
async function markFullyRead(ctx: Context, userId: string, event: LogEntry): Promise<void> {
  await putAccountData(
    ctx,
    { userId, roomId: event.roomId as string, type: "m.fully_read" },
    { event_id: event.eventId },
  );
}

const receiptBody = z.looseObject({ thread_id: z.string().optional() });
const receiptType = z.enum(["m.read", "m.read.private", "m.fully_read"]);
const markersBody = z.looseObject({
  "m.fully_read": z.string().optional(),
  "m.read": z.string().optional(),
  "m.read.private": z.string().optional(),
});

export const receiptRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId",
    access: "session",
    rate: "other",
    body: receiptBody,
    async handle({ session, params, body }, ctx) {
      const type = receiptType.safeParse(params["receiptType"]);
      if (!type.success)
        throw matrixError("M_INVALID_PARAM", `A receipt is of the type m.read, m.read.private or m.fully_read.`);
      const event = await eventIn(ctx, session.userId, params as { roomId: string; eventId: string });
      if (type.data === "m.fully_read") {
        if (body.thread_id !== undefined) throw matrixError("M_INVALID_PARAM", "m.fully_read knows no threads.");
        await markFullyRead(ctx, session.userId, event);
        return {};
      }
      checkThread(body.thread_id, event);
      await keepReceipts(ctx, [receiptAt(ctx, session.userId, { type: type.data, event, threadId: body.thread_id })]);
      return {};
    },
  }),
  route({
    method: "POST",
    path: "/_matrix/client/v3/rooms/:roomId/read_markers",
    access: "session",
    rate: "other",
    body: markersBody,
    async handle({ session, params, body }, ctx) {
      const find = (eventId: string | undefined) =>
        eventId === undefined
          ? undefined
          : eventIn(ctx, session.userId, { roomId: params["roomId"] as string, eventId });
      const [fully, read, hidden] = await Promise.all([
        find(body["m.fully_read"]),
        find(body["m.read"]),
        find(body["m.read.private"]),
      ]);
      const receipts: Receipt[] = [];
      if (read) receipts.push(receiptAt(ctx, session.userId, { type: "m.read", event: read }));
      if (hidden) receipts.push(receiptAt(ctx, session.userId, { type: "m.read.private", event: hidden }));
      await keepReceipts(ctx, receipts);
      if (fully) await markFullyRead(ctx, session.userId, fully);
      return {};
    },
  }),
];
