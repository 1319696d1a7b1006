/**
 * `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`. Specification: client-server-api, "Redactions". And the same with POST and without a
 * transaction id, as with sending (send.ts).
 */
import { z } from "zod";
import { accountSuspended } from "../auth/moderation.ts";
import type { Context } from "../context.ts";
import { type Answer, encoded, type Request, route } from "../http.ts";
import { dismissGuests, GUEST_ACCESS } from "../rooms/guests.ts";
import { redactsOf } from "../rooms/rules/redact.ts";
import { isEventId } from "../rooms/rules/identifiers.ts";
import type { RoomState } from "../rooms/state.ts";
import { type Proposal, submit } from "../rooms/submit.ts";
import { randomToken } from "../seams.ts";
import { findEvent } from "./send-relations.ts";
import { transactionOf } from "./send-transaction.ts";

const PATH = "/_matrix/client/v3/rooms/:roomId/redact/:eventId";
const redacting = {
  access: "session",
  rate: "send",
  body: z.looseObject({ reason: z.string().optional() }),
} as const;

export const redact = route({ ...redacting, method: "PUT", path: `${PATH}/:txnId`, handle: redactEvent });

export const redactOnce = route({
  ...redacting,
  method: "POST",
  path: PATH,
  handle: (request, ctx) =>
    redactEvent({ ...request, params: { ...request.params, txnId: `post-${randomToken(ctx.seams, 12)}` } }, ctx),
});

async function redactEvent({ params, session, body }: Request<{ reason?: string }>, ctx: Context): Promise<Answer> {
  const { roomId, eventId: redacts, txnId } = params as { roomId: string; eventId: string; txnId: string };
  if (session.isSuspended) await refuseOthers(ctx, redacts, session.userId);
  const content = { redacts, ...(body.reason !== undefined && { reason: body.reason }) };
  const proposal = { sender: session.userId, type: "m.room.redaction", content };
  const eventId = await submit(ctx, {
    roomId,
    transaction: transactionOf(session, ["redact", roomId, redacts], txnId),
    propose: (room) => redactionProposal(ctx, room, proposal),
  });
  await afterRedaction(ctx, roomId, redacts);
  return encoded(`{"event_id":"${eventId}"}`);
}

/** A redacted `m.room.guest_access` says no more that guests may come in. Whichever way the redaction came: its room has it. */
export async function afterRedaction(ctx: Context, roomId: string, redacts: unknown): Promise<void> {
  const access = ctx.config.guests ? (await ctx.rooms.load(roomId)).get(GUEST_ACCESS) : undefined;
  if (access?.event_id === redacts) await dismissGuests(ctx, roomId);
}

/** Specification: "Account suspension": whoever is suspended redacts their own events, and nobody else's. */
async function refuseOthers(ctx: Context, eventId: string, userId: string): Promise<void> {
  const target = isEventId(eventId) ? await findEvent(ctx, eventId) : undefined;
  if (target?.userId !== userId) throw accountSuspended();
}

/** The redaction with the event that it names, when this room has it: the rules refuse a redaction without. */
export async function redactionProposal(ctx: Context, room: RoomState, proposal: Proposal): Promise<Proposal> {
  const redacts = redactsOf({ ...proposal, room_id: room.roomId });
  if (!isEventId(redacts)) return proposal;
  const target = await findEvent(ctx, redacts);
  return target?.roomId === room.roomId ? { ...proposal, target } : proposal;
}
