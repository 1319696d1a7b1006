/** `POST /join/{roomIdOrAlias}` and `POST /rooms/{roomId}/join`. Specification: client-server-api, "Joining rooms". */
import { profileOf } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { roomOf } from "../directory/aliases.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { refuseBlocked } from "./blocked.ts";
import { carryOverInto } from "./carry-over.ts";
import { refuseGuest } from "./guests.ts";
import { currentMember, memberContent, memberProposal, reasonBody, refuseThirdParty } from "./member-body.ts";
import type { MemberProfile } from "./rules/create.ts";
import { allowedRooms, authorisingUser, isRestricted } from "./rules/join-rules.ts";
import { creatorsOf, levelsOf } from "./rules/power.ts";
import { type Content, isObject, type RoomEvent } from "./rules/event.ts";
import { memberContentFromClient } from "./rules/validate.ts";
import type { RoomState } from "./state.ts";
import { type Already, type Proposal, submit } from "./submit.ts";

export const joinById = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/join",
  access: "session",
  rate: "join",
  body: reasonBody,
  async handle({ params, session, body }, ctx) {
    refuseThirdParty(body);
    return join(ctx, { roomId: params["roomId"] as string, userId: session.userId, ...askedFor(body) });
  },
});

export const joinByIdOrAlias = route({
  method: "POST",
  path: "/_matrix/client/v3/join/:roomIdOrAlias",
  access: "session",
  rate: "join",
  body: reasonBody,
  async handle({ params, session, body }, ctx) {
    refuseThirdParty(body);
    const roomId = await roomOf(ctx, params["roomIdOrAlias"] as string);
    return join(ctx, { roomId, userId: session.userId, ...askedFor(body) });
  },
});

interface Joining {
  roomId: string;
  userId: string;
  reason?: string | undefined;
  /** What the client adds to its membership event. */
  more?: Content;
}

/** What of a membership event is the server's to say. */
const OURS = new Set(["membership", "displayname", "avatar_url", "third_party_invite", "third_party_signed"]);

/**
 * The reason, and what else the body has: it goes into the membership event, where the client could put it by its state as well.
 * The specification does not speak of it; clients and suites rely on it.
 */
function askedFor(body: Content & { reason?: string | undefined }): Pick<Joining, "reason" | "more"> {
  const { reason, ...rest } = memberContentFromClient(body);
  const more = Object.fromEntries(Object.entries(rest).filter(([key]) => !OURS.has(key)));
  return { reason: reason as string | undefined, more };
}

export async function join(ctx: Context, { roomId, userId, reason, more }: Joining): Promise<{ room_id: string }> {
  const [profile] = await Promise.all([profileOf(ctx, userId), refuseBlocked(ctx, roomId)]);
  let wasIn = false;
  await submit(ctx, {
    roomId,
    propose(room) {
      wasIn = room.membership(userId) === "join";
      return proposeJoin(ctx, room, { userId, profile: { ...profile, reason }, more });
    },
  });
  if (!wasIn) await carryOverInto(ctx, await ctx.rooms.load(roomId), userId);
  return { room_id: roomId };
}

interface Joiner {
  userId: string;
  profile: MemberProfile & { reason?: string | undefined };
  more: Content | undefined;
}

/** Joining again changes nothing: clients repeat a join whose answer they did not get. */
async function proposeJoin(
  ctx: Context,
  room: RoomState,
  { userId, profile, more }: Joiner,
): Promise<Proposal | Already> {
  const membership = room.membership(userId);
  if (membership === "join") return currentMember(room, userId);
  const proposal = memberProposal(userId, userId, { ...more, ...memberContent("join", profile) });
  await refuseGuest(ctx, room, proposal);
  return vouched(ctx, room, proposal);
}

/** A join as it is, or with the name of the member who lets the person into a restricted room. Throws M_FORBIDDEN where no member could. */
export async function vouched<P extends Proposal>(ctx: Context, room: RoomState, join: P): Promise<P> {
  const membership = room.membership(join.sender);
  if (!isRestricted(room) || membership === "invite" || membership === "join" || membership === "ban") return join;
  return (await vouchedFor(ctx, room, join)) ?? join;
}

/**
 * The join with the name of a member who could have invited the person, when they are in one of the rooms that the join rules
 * list. It rests on that membership too. Specification: client-server-api, "Restricted rooms".
 */
async function vouchedFor<P extends Proposal>(ctx: Context, room: RoomState, proposal: P): Promise<P | undefined> {
  const memberships = await ctx.rooms.memberships(proposal.sender);
  const allowed = allowedRooms(room).find((roomId) => memberships.get(roomId)?.membership === "join");
  if (allowed === undefined) return undefined;
  const via = authorisingUser(room, likelyInviters(room));
  if (via === undefined) throw matrixError("M_FORBIDDEN", "Nobody in this room has the power to let you in.");
  return {
    ...proposal,
    content: { ...proposal.content, join_authorised_via_users_server: via },
    meetsAllowCondition: true,
    restsOn: [
      { room: allowed, user: proposal.sender, position: memberships.get(allowed)?.position ?? 0 },
      { room: room.roomId, user: via, position: room.memberPosition(via) },
    ],
  };
}

/** Those with power first: asking each of thousands of members is the last resort. */
function* likelyInviters(room: RoomState): IterableIterator<string> {
  yield* creatorsOf(room.get("m.room.create") as RoomEvent);
  const { users } = levelsOf(room);
  if (isObject(users)) yield* Object.keys(users);
  yield* room.joined();
}
