/** `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`. Specification: client-server-api, "Sending events to a room". */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { timedQuery, timeGiven } from "../appservice/timestamp.ts";
import type { Context } from "../context.ts";
import { requirePointingTo } from "../directory/aliases.ts";
import { delayOf, schedule } from "../messages/delayed.ts";
import { type Answer, encoded, type Request, route } from "../http.ts";
import { refuseBlocked } from "./blocked.ts";
import { dismissGuests, GUEST_ACCESS, refuseGuest } from "./guests.ts";
import { requireInvitable } from "./invite.ts";
import { vouched } from "./join.ts";
import { requireDeclinable } from "./notices.ts";
import { type Content, isObject } from "./rules/event.ts";
import { addedAliases, contentFault, memberContentFromClient } from "./rules/validate.ts";
import { faultError } from "./rules/verdict.ts";
import type { RoomState } from "./state.ts";
import { requireAnotherRoom } from "./upgrade-plan.ts";
import { type Already, type Proposal, requireAllowed, submit } from "./submit.ts";

const contentBody = z.custom<Content>(isObject, "must be an object");

export const putState = route({
  method: "PUT",
  path: "/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey",
  access: "session",
  rate: "send",
  body: contentBody,
  query: timedQuery,
  handle: setState,
});

export const putStateWithoutKey = route({
  method: "PUT",
  path: "/_matrix/client/v3/rooms/:roomId/state/:eventType",
  access: "session",
  rate: "send",
  body: contentBody,
  query: timedQuery,
  handle: setState,
});

type StateRequest = Request<Content, z.output<typeof timedQuery>>;

async function setState({ params, session, body, query }: StateRequest, ctx: Context): Promise<Answer | object> {
  const { roomId, eventType: type, stateKey = "" } = params as { roomId: string; eventType: string; stateKey?: string };
  const content = type === "m.room.member" ? memberContentFromClient(body) : body;
  const delay_ms = delayOf(query);
  if (delay_ms !== undefined) return schedule(ctx, { session, roomId, type, stateKey, content, delay_ms });
  const proposal = { sender: session.userId, type, state_key: stateKey, content, ts: timeGiven(session, query) };
  const eventId = await submit(ctx, {
    roomId,
    propose: async (room) =>
      proposeState(ctx, room, isOwnJoin(proposal) ? await vouched(ctx, room, proposal) : proposal),
  });
  if (type === GUEST_ACCESS) await dismissGuests(ctx, roomId);
  return encoded(`{"event_id":"${eventId}"}`);
}

/** One may come into a room by this request too, into a restricted one among them. */
function isOwnJoin({ type, sender, state_key, content }: StateProposal): boolean {
  return type === "m.room.member" && sender === state_key && content.membership === "join";
}

/** A blocked room takes nobody in, and who is invited can be. */
async function requireOpen(ctx: Context, room: RoomState, proposal: StateProposal): Promise<void> {
  const { content, state_key } = proposal;
  const { membership } = content;
  await refuseGuest(ctx, room, proposal);
  if (membership === "leave") requireDeclinable(ctx, room, state_key);
  if (membership === "join" || membership === "invite" || membership === "knock") await refuseBlocked(ctx, room.roomId);
  if (membership === "invite") await requireInvitable(ctx, state_key);
}

type StateProposal = Proposal & { state_key: string };

/**
 * The event, once its content is found right. These requests have no transaction id, so the same sender setting what is set
 * already gets the event that set it: a retry changes nothing.
 */
export async function proposeState(
  ctx: Context,
  room: RoomState,
  proposal: StateProposal,
): Promise<Proposal | Already> {
  const { type, sender, state_key, content } = proposal;
  const current = room.get(type, state_key);
  // The rules come first: what is wrong with the content says something about the room.
  requireAllowed(room, proposal);
  const fault = contentFault(proposal, current?.content);
  if (fault) throw faultError(fault);
  if (current && current.sender === sender && isDeepStrictEqual(current.content, content))
    return { already: current.event_id };
  requireAnotherRoom(room.roomId, proposal);
  if (type === "m.room.member" && room.membership(state_key) !== "join") await requireOpen(ctx, room, proposal);
  if (type === "m.room.canonical_alias")
    await requirePointingTo(ctx, room.roomId, addedAliases(content, current?.content));
  return proposal;
}
