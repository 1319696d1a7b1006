/**
 * One client's frame of a round, out of what is the same for all and what is its own. It says exactly what an incremental /sync
 * would answer; where that can not be put together at once from memory, the client is told by itself.
 */
import type { Context } from "../context.ts";
import { formatToken } from "../log/token.ts";
import type { RoomState } from "../rooms/state.ts";
import { rememberMember } from "../sync/members.ts";
import { unreadSections } from "../sync/room.ts";
import type { SyncParts } from "../sync/run.ts";
import type { Follower } from "./follower.ts";
import type { Stand } from "./outlet.ts";
import { type RoomPart, roomPart, type RoomStretch } from "./room-part.ts";
import { joinedFrame } from "./wire.ts";

export interface Round {
  /** Where those stand who take part, unless they have been told more already. */
  from: Stand;
  to: Stand;
  /** By room, kind of state section and stand. */
  parts: Map<RoomState, Map<string, RoomPart | "own" | undefined>>;
  /** Whole frames, by what they were made of. */
  frames: Map<string, Buffer>;
}

/** A room of a frame: what its members are told alike, and this one's own end of it. */
interface ToldRoom {
  part: RoomPart;
  rest: string;
}

/** Begins a round that brings everybody from one stand to the next. */
export function beginRound(from: Stand, to: Stand): Round {
  return { from, to, parts: new Map(), frames: new Map() };
}

export interface Composing {
  ctx: Context;
  parts: SyncParts;
  round: Round;
}

const ROOMS_OPEN = '{"type":"sync","sync":{"rooms":{"join":{';
const NO_ROOMS = '{"type":"sync","sync":{';

/** The frame; "own" where the client must be told by itself; undefined where it has all of this already. */
export function composeFrame(composing: Composing, follower: Follower): Buffer | "own" | undefined {
  const { parts } = composing;
  const { session, rooms, people } = follower;
  if (!follower.takesShared) return "own";
  const counts = parts.keyCounts.peek(session.userId, session.deviceId);
  if (counts === undefined) return "own";
  const told: ToldRoom[] = [];
  for (const room of rooms) {
    const part = partFor(composing, room, follower);
    if (part === undefined) continue;
    const rest = part === "own" ? undefined : restOfRoom(composing, { room, part, follower });
    if (part === "own" || rest === undefined) return "own";
    told.push({ part, rest });
  }
  for (const { part } of told) for (const member of part.members) rememberMember(parts, session.id, member);
  const presence = people.length > 0 ? `"presence":{"events":[${people.join(",")}]},` : "";
  const end = `${presence}${counts},"next_batch":"${tokenOf(composing)}"}}`;
  if (told.length === 0) return people.length > 0 ? joinedFrame([NO_ROOMS, end]) : undefined;
  return frameOf(composing, told, end);
}

/** The part that fits the follower, of those that were made already, or a new one. */
function partFor(composing: Composing, room: RoomState, follower: Follower): RoomPart | "own" | undefined {
  const { from } = composing.round;
  const { stateSection, session, filter, stand } = follower;
  const part = sharedPart(composing, room, {
    since: Math.max(stand.position, from.position),
    seen: Math.max(stand.ephemeral, from.ephemeral),
    stateSection,
  });
  if (typeof part !== "object") return part;
  const withMembers = filter.state.lazyLoadMembers && !knowsSenders(composing, { room, part, follower });
  if (part.sessions.has(session.id)) return part.fitted({ withMembers, sessionId: session.id });
  return withMembers ? part.fitted({ withMembers }) : part;
}

function sharedPart({ ctx, round }: Composing, room: RoomState, stretch: RoomStretch): RoomPart | "own" | undefined {
  const name = `${stretch.since} ${stretch.seen} ${stretch.stateSection}`;
  let ofRoom = round.parts.get(room);
  if (!ofRoom) round.parts.set(room, (ofRoom = new Map()));
  if (!ofRoom.has(name)) ofRoom.set(name, roomPart(ctx, room, stretch));
  return ofRoom.get(name);
}

interface Member {
  room: RoomState;
  part: RoomPart;
  follower: Follower;
}

/** The member's own end of the room's object; undefined where the part does not fit them. */
function restOfRoom(composing: Composing, member: Member): string | undefined {
  const { room, part, follower } = member;
  const { session, filter, ignored, stand } = follower;
  const { userId } = session;
  if (part.readers.has(userId)) return undefined;
  if (room.memberPosition(userId) > Math.max(stand.position, composing.round.from.position)) return undefined;
  if (ignored.size > 0) for (const sender of part.senders.keys()) if (ignored.has(sender)) return undefined;
  // Receipts of others and typing change nothing of the counts.
  if (part.events === 0) return "";
  const unread = composing.parts.unread.peek(userId, room);
  return unread && `,${unreadSections(unread, filter.unreadThreadNotifications)}`;
}

function knowsSenders({ parts }: Composing, { room, part, follower }: Member): boolean {
  if (part.senders.size === 0) return true;
  const known = parts.lazyMembers.get(follower.session.id)?.get(room.roomId);
  for (const [sender, position] of part.senders) if (position !== 0 && known?.get(sender) !== position) return false;
  return true;
}

function tokenOf({ ctx, round: { to } }: Composing): string {
  return formatToken({ epoch: ctx.log.epoch, position: to.position, ephemeral: to.ephemeral });
}

/** Most members of a room are told the same to the last byte: then they get the same bytes. */
function frameOf({ round }: Composing, told: readonly ToldRoom[], end: string): Buffer {
  const name = told.map(({ part, rest }) => part.name + rest).join() + end;
  let frame = round.frames.get(name);
  if (!frame) round.frames.set(name, (frame = encodeFrame(told, end)));
  return frame;
}

function encodeFrame(told: readonly ToldRoom[], end: string): Buffer {
  const pieces: (Buffer | string)[] = [ROOMS_OPEN];
  for (const [at, { part, rest }] of told.entries()) {
    if (at > 0) pieces.push(",");
    pieces.push(part.json(), `${rest}}`);
  }
  return joinedFrame([...pieces, `}},${end}`]);
}
