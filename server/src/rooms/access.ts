/**
 * Who may read what of a room: the room as a whole (`readAccess`) and each of its events (`sightOf`).
 * Specification: client-server-api, "Room History Visibility".
 *
 * What an event's visibility rests on are two short histories, that of `m.room.history_visibility` and that of the reader's own
 * membership. They are read once and kept beside the room in memory, so a page of any length costs two queries at the most,
 * and none for a member of a room whose history was always open to its members.
 */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { stateChanges } from "./history.ts";
import { contentOf, type Membership, type RoomState } from "./state.ts";

const MEMBER = "m.room.member";
const VISIBILITY = "m.room.history_visibility";

export interface ReadAccess {
  /** Whether the person may read state and history at all. */
  mayRead: boolean;
  /** The position of the event that ended the person's membership: state and history end there. Absent: they have no end. */
  upTo?: number;
}

const NOTHING: ReadAccess = { mayRead: false };
const EVERYTHING: ReadAccess = { mayRead: true };

/**
 * What the person may read of the room: a member everything, a former member what there was until they left, anyone a room
 * that is world readable now, everybody else nothing. Which events of it they see, `sightOf` says.
 */
export async function readAccess(ctx: Context, room: RoomState, userId: string): Promise<ReadAccess> {
  const membership = room.membership(userId);
  if (membership === "join") return EVERYTHING;
  if (isWorldReadable(room)) return EVERYTHING;
  if (membership !== "leave" && membership !== "ban") return NOTHING;
  if (await hasForgotten(ctx, room, userId)) return NOTHING;
  const changes = await changesOf(ctx, room, membershipOf(userId));
  const lastJoin = changes.findLastIndex((change) => change.value === "join");
  const end = lastJoin === -1 ? undefined : changes[lastJoin + 1];
  return end ? { mayRead: true, upTo: end.position } : NOTHING;
}

/** Whether the person left the room and asked to forget it: they can not retrieve its history any more. Specification: "Leaving rooms". */
async function hasForgotten(ctx: Context, room: RoomState, userId: string): Promise<boolean> {
  const membership = room.membership(userId);
  if (membership !== "leave" && membership !== "ban") return false;
  return !(await ctx.rooms.memberships(userId)).has(room.roomId);
}

/** A room that the person may read, and how far. Throws M_FORBIDDEN for any other, and for one that does not exist. */
export async function readableRoom(
  ctx: Context,
  roomId: string,
  userId: string,
): Promise<{ room: RoomState; access: ReadAccess }> {
  const room = await ctx.rooms.find(roomId);
  const access = room ? await readAccess(ctx, room, userId) : NOTHING;
  if (!room || !access.mayRead) throw matrixError("M_FORBIDDEN", "You are not in this room and never were.");
  return { room, access };
}

/** A stretch of the log, from its first position to its last. */
export interface Range {
  first: number;
  last: number;
}

/** What one person sees of one room. */
export interface Sight {
  /** Where the events stand that the person may see, in the order of positions. In these stretches they see every event. */
  ranges: readonly Range[];
  /** Whether the person may see this event of the room. */
  sees(entry: LogEntry): boolean;
}

/** The sight of somebody who sees these stretches of a room. */
function sightWithin(ranges: readonly Range[]): Sight {
  return {
    ranges,
    sees: ({ position }) => ranges.some(({ first, last }) => first <= position && position <= last),
  };
}

const FULL_SIGHT: Sight = sightWithin([{ first: 0, last: Number.MAX_SAFE_INTEGER }]);

/** How the person sees the room's events. It goes by the state at each event, so it may be stricter than `readAccess` or wider. */
export async function sightOf(ctx: Context, room: RoomState, userId: string): Promise<Sight> {
  const visibilities = await changesOf(ctx, room, VISIBILITIES);
  if (room.membership(userId) === "join" && visibilities.every(isOpenToMembers)) return FULL_SIGHT;
  const isForgotten = await hasForgotten(ctx, room, userId);
  const memberships = isForgotten ? [] : await changesOf(ctx, room, membershipOf(userId));
  return createSight({ visibilities, memberships });
}

/** The person's memberships of the room over time, for `unsigned.membership`; a function from a position. */
export async function membershipsOf(
  ctx: Context,
  room: RoomState,
  userId: string,
): Promise<(position: number) => Membership> {
  const changes = await changesOf(ctx, room, membershipOf(userId));
  return (position) => (valueAt(changes, position) ?? "leave") as Membership;
}

/** What a piece of state became, and where. */
interface Change {
  position: number;
  value: string | undefined;
}

interface Histories {
  visibilities: readonly Change[];
  memberships: readonly Change[];
}

/**
 * Between two changes of the visibility or of the membership, either all events are seen or none. An event that makes such a
 * change is seen when what is before it or what is behind it would let the person see it.
 */
function createSight({ visibilities, memberships }: Histories): Sight {
  const lastJoin = memberships.findLast((change) => change.value === "join")?.position ?? 0;
  const allows = (position: number, visibility: string | undefined, membership: string | undefined): boolean => {
    if (visibility === "world_readable" || membership === "join") return true;
    if (visibility === "invited") return membership === "invite";
    return visibility !== "joined" && lastJoin > position;
  };
  const after = (position: number): boolean =>
    allows(position, valueAt(visibilities, position), valueAt(memberships, position));
  const ranges: Range[] = [];
  const add = (first: number, last: number): void => {
    const before = ranges.at(-1);
    if (before?.last === first - 1) before.last = last;
    else if (first <= last) ranges.push({ first, last });
  };
  const changed = [...visibilities, ...memberships].map((change) => change.position);
  const positions = [0, ...changed.toSorted((a, b) => a - b)];
  for (const [i, position] of positions.entries()) {
    const isVisibility = visibilities.some((change) => change.position === position);
    const [visibility, membership] = isVisibility ? [position - 1, position] : [position, position - 1];
    const before = allows(position, valueAt(visibilities, visibility), valueAt(memberships, membership));
    if (before || after(position)) add(position, position);
    if (after(position)) add(position + 1, (positions[i + 1] ?? Number.MAX_SAFE_INTEGER) - 1);
  }
  return sightWithin(ranges);
}

/** Whether members see all that is sent under this visibility. A value that is not understood counts as `shared`. */
function isOpenToMembers({ value }: Change): boolean {
  return value !== "invited" && value !== "joined";
}

/** The value that stood at `position`; the few changes are searched from the newest on. */
function valueAt(changes: readonly Change[], position: number): string | undefined {
  return changes.findLast((change) => change.position <= position)?.value;
}

/** Whether anyone may read what is sent into the room now. */
export function isWorldReadable(room: RoomState): boolean {
  return room.get(VISIBILITY)?.content["history_visibility"] === "world_readable";
}

/** A piece of state, and the key of its content that matters here. */
interface Piece {
  type: string;
  stateKey: string;
  key: string;
}

const VISIBILITIES: Piece = { type: VISIBILITY, stateKey: "", key: "history_visibility" };

function membershipOf(userId: string): Piece {
  return { type: MEMBER, stateKey: userId, key: "membership" };
}

/** Histories that were read already; they leave memory together with the room. */
const known = new WeakMap<RoomState, Map<string, readonly Change[]>>();

/** All changes of a piece of state, oldest first. What is kept is good for as long as its newest is the room's current one. */
async function changesOf(ctx: Context, room: RoomState, piece: Piece): Promise<readonly Change[]> {
  const current = room.get(piece.type, piece.stateKey);
  if (!current) return [];
  // An event that replaced nothing (it would say so in `unsigned`, and so does a redaction) is its whole history.
  if (current.entry.unsigned === null) return [changeOf(current.entry, piece)];
  const kept = known.get(room) ?? new Map<string, readonly Change[]>();
  known.set(room, kept);
  const name = `${piece.type} ${piece.stateKey}`;
  const before = kept.get(name);
  if (before?.at(-1)?.position === current.position) return before;
  const changes = (await stateChanges(ctx, room.roomId, piece)).map((entry) => changeOf(entry, piece));
  if (kept.size >= limits.roomHistories_users) kept.clear();
  kept.set(name, changes);
  return changes;
}

function changeOf(entry: LogEntry, { key }: Piece): Change {
  const value = contentOf(entry)[key];
  return { position: entry.position, value: typeof value === "string" ? value : undefined };
}
