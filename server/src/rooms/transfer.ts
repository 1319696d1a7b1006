/**
 * The rooms of somebody who leaves, handed to a successor: what becomes of each, and doing it. The successor is given the power of an
 * administrator, and is invited where they are not in the room; nobody's power is taken. What was done once is found done, so all of it
 * can be done again. Conversations of two people are nobody's to inherit, and rooms that were replaced by an upgrade nobody needs: both are
 * left alone.
 */
import { profileOf } from "../account/profile.ts";
import { readAccount, readStanding } from "../auth/for-operators.ts";
import type { Context } from "../context.ts";
import { asError, matrixError, MatrixError } from "../errors.ts";
import { readAccountDataOf } from "../log/queries.ts";
import { administratorProposal, isAdministrator } from "./acting.ts";
import { readBlocked } from "./blocked.ts";
import { requireInvitable } from "./invite.ts";
import { currentMember, memberContent, memberProposal } from "./member-body.ts";
import type { MemberProfile } from "./rules/create.ts";
import { isObject } from "./rules/event.ts";
import type { RoomState } from "./state.ts";
import { type Already, type Proposal, requireAllowed, submit } from "./submit.ts";

export interface Transfer {
  userId: string;
  /** The successor; undefined where only what the person has is asked. */
  to: string | undefined;
  /** Leaves those rooms alone in which somebody else is an administrator too. */
  onlySole: boolean;
}

/**
 * What becomes of a room. *none*: the person is no administrator there. *replaced*: an upgrade has put another room in its place.
 * *direct*: a conversation of two people. *shared*: somebody else
 * administers it too, and only the others are asked for. *already*: the successor has the power, and is in it or invited.
 */
export type Outlook =
  | { is: "none" }
  | { is: "replaced" }
  | { is: "direct" }
  | { is: "shared" | "already" | "open"; isSole: boolean }
  | { is: "refused"; isSole: boolean; why: string }
  | { is: "change"; isSole: boolean; invites: boolean };

/** Throws M_NOT_FOUND for no account, and M_INVALID_PARAM for one that was deactivated: it has left its rooms. */
export async function requireLeaver(ctx: Context, userId: string): Promise<void> {
  const account = await readAccount(ctx, userId);
  if (!account) throw matrixError("M_NOT_FOUND", "There is no such account.");
  if (account.status === "deactivated")
    throw matrixError(
      "M_INVALID_PARAM",
      `${userId} has been deactivated, and has left all rooms: nothing can be handed on in their name any more. Where another member has the power, make somebody an administrator room by room.`,
    );
}

/** Throws unless this account can take the rooms over: M_INVALID_PARAM, M_NOT_FOUND, or M_INVITE_BLOCKED. */
export async function requireSuccessor(ctx: Context, { userId, to }: { userId: string; to: string }): Promise<void> {
  if (to === userId) throw matrixError("M_INVALID_PARAM", "Nobody is their own successor: name somebody else.");
  const account = await readAccount(ctx, to);
  if (!account || account.status === "deactivated")
    throw matrixError("M_NOT_FOUND", `There is no account ${to} on this server, or it has been deactivated.`);
  if (!(await readStanding(ctx, to))?.isActive)
    throw matrixError("M_INVALID_PARAM", `${to} is kept from acting. Let them in again first, or name somebody else.`);
  await requireInvitable(ctx, to);
}

/** The rooms that the person is in, by their ids. */
export async function roomsOf(ctx: Context, userId: string): Promise<string[]> {
  const memberships = await ctx.rooms.memberships(userId);
  return [...memberships]
    .filter(([, { membership }]) => membership === "join")
    .map(([roomId]) => roomId)
    .toSorted();
}

/** What would become of the room now. Nothing is changed. */
export async function outlookOf(ctx: Context, room: RoomState, { userId, to, onlySole }: Transfer): Promise<Outlook> {
  if (room.membership(userId) !== "join" || !isAdministrator(room, userId)) return { is: "none" };
  if (await isReplaced(ctx, room)) return { is: "replaced" };
  if (await isDirect(ctx, room)) return { is: "direct" };
  const isSole = ![...room.joined()].some((each) => each !== userId && isAdministrator(room, each));
  if (onlySole && !isSole) return { is: "shared", isSole };
  if (to === undefined) return { is: "open", isSole };
  const asked = { userId, to, profile: {} };
  const invites = !isComing(room, to);
  if (isAdministrator(room, to) && !invites) return { is: "already", isSole };
  const why = invites ? await whyNotIn(ctx, room, to) : undefined;
  if (why !== undefined) return { is: "refused", isSole, why };
  try {
    for (const proposal of [givePower(room, asked), invite(room, asked)])
      if (!("already" in proposal)) requireAllowed(room, proposal);
  } catch (thrown) {
    return { is: "refused", isSole, why: sentenceOf(thrown) };
  }
  return { is: "change", isSole, invites };
}

/** Does it in one room, as its state is by then; what the room's rules say against it comes back as refused. */
export async function transferRoom(ctx: Context, roomId: string, asked: Transfer & { to: string }): Promise<Outlook> {
  const room = await ctx.rooms.find(roomId);
  const outlook: Outlook = room ? await outlookOf(ctx, room, asked) : { is: "none" };
  if (outlook.is !== "change") return outlook;
  const { userId, to } = asked;
  const profile = await profileOf(ctx, to);
  try {
    await submit(ctx, { roomId, propose: (now) => givePower(now, { userId, to }) });
    await submit(ctx, { roomId, propose: (now) => invite(now, { userId, to, profile }) });
  } catch (thrown) {
    return { is: "refused", isSole: outlook.isSole, why: sentenceOf(thrown) };
  }
  return outlook;
}

/** What a room's rules say. Anything else, and that the database is away, is thrown on: whoever comes next tries again. */
function sentenceOf(thrown: unknown): string {
  if (thrown instanceof MatrixError && thrown.errcode !== "IO_PARLEY_UNAVAILABLE") return thrown.message;
  throw asError(thrown);
}

function givePower(room: RoomState, { userId, to }: { userId: string; to: string }): Proposal | Already {
  if (isAdministrator(room, to)) return { already: room.get("m.room.power_levels")?.event_id ?? "" };
  return administratorProposal(room, to, userId);
}

interface Invitation {
  userId: string;
  to: string;
  profile: MemberProfile;
}

function invite(room: RoomState, { userId, to, profile }: Invitation): Proposal | Already {
  if (isComing(room, to)) return currentMember(room, to);
  return memberProposal(userId, to, memberContent("invite", profile));
}

function isComing(room: RoomState, userId: string): boolean {
  return ["join", "invite"].includes(room.membership(userId) ?? "");
}

async function whyNotIn(ctx: Context, room: RoomState, to: string): Promise<string | undefined> {
  if (room.membership(to) === "ban") return `${to} is banned there. A member has to take that back first.`;
  if ((await readBlocked(ctx, [room.roomId])).has(room.roomId))
    return "The room is blocked on this server, so nobody is invited to it. Unblock it first.";
  return undefined;
}

/**
 * Whether there is another room in its place, which says so too: a tombstone alone may name any room. Specification: "Room upgrades".
 */
async function isReplaced(ctx: Context, room: RoomState): Promise<boolean> {
  const replacement = room.get("m.room.tombstone")?.content["replacement_room"];
  if (typeof replacement !== "string" || replacement === room.roomId) return false;
  const predecessor = (await ctx.rooms.find(replacement))?.get("m.room.create")?.content["predecessor"];
  return isObject(predecessor) && predecessor["room_id"] === room.roomId;
}

/** Whether it is a conversation of two people: that is what one of them has noted of it. Specification: "Direct Messaging". */
async function isDirect(ctx: Context, room: RoomState): Promise<boolean> {
  if (room.joinedCount + room.invitedCount > 2) return false;
  const people = [...room.memberships().keys()].filter((userId) => isComing(room, userId));
  const noted = await readAccountDataOf(ctx.db.log, "m.direct", people);
  return noted.some((content) => content !== undefined && listsRoom(content, room.roomId));
}

function listsRoom(content: string, roomId: string): boolean {
  const lists: unknown[] = Object.values(JSON.parse(content) as object);
  return lists.some((rooms) => Array.isArray(rooms) && rooms.includes(roomId));
}
