/**
 * Which rooms a request shows: its lists are windows on the person's rooms, filtered and in the order of their last activity, and
 * its subscriptions name rooms. MSC4186, "Lists and subscriptions".
 */
import type { Memberships, UserMembership } from "../../rooms/cache.ts";
import { limits } from "../../limits.ts";
import type { RoomState } from "../../rooms/state.ts";
import type { Outline } from "./outlines.ts";
import type { Belongings } from "./person.ts";
import { type AskedList, combined, type Filters, type RoomConfig, type SlidingAsk } from "./request.ts";
import { type ConnectionState, toldUpTo } from "./state.ts";

/** A room that the person has something to do with. */
export interface Candidate {
  roomId: string;
  membership: UserMembership;
  /** Undefined where the room is not known to this process. */
  outline: Outline | undefined;
}

/** All that lists are made of, at one moment. */
export interface Scene {
  memberships: Memberships;
  belongings: Belongings;
  /** Where the client stands; 0 where it begins. */
  since: number;
  state: ConnectionState;
  outline(roomId: string): Outline | undefined;
  /** A room's state where it is in memory: spaces, and what the person was invited to. */
  room(roomId: string): RoomState | undefined;
  /** Invitations by these people are not shown. */
  ignoredUsers: ReadonlySet<string>;
  userId: string;
}

export interface ShownRoom extends Candidate {
  config: RoomConfig;
  /** The names of the lists that show it. */
  lists: string[];
  isSubscribed: boolean;
}

export interface ShownList {
  name: string;
  count: number;
  windows: { range: readonly [number, number]; roomIds: string[] }[];
}

export interface Shown {
  lists: ShownList[];
  rooms: Map<string, ShownRoom>;
  /** Neither the order of rooms matters nor what happens in spaces: the same is shown as long as the rooms are filtered as they are. */
  isWhole: boolean;
}

/** The rooms that the request shows. */
export function show(ask: SlidingAsk, scene: Scene): Shown {
  const shown: Shown = { lists: [], rooms: new Map(), isWhole: true };
  const candidates = ask.lists.length === 0 ? [] : candidatesOf(scene);
  for (const list of ask.lists) {
    const matching = candidates.filter(filterOf(list.filters, scene));
    const isWhole = isShownWhole(list, matching, scene);
    showList(shown, list, isWhole ? matching : inOrder(matching));
    shown.isWhole &&= isWhole && !list.filters.spaces;
  }
  for (const [roomId, config] of ask.subscriptions) {
    const membership = scene.memberships.get(roomId);
    if (!membership || isUnwanted(roomId, membership, scene)) continue;
    const room = showRoom(shown, { roomId, membership, outline: scene.outline(roomId) }, config);
    room.isSubscribed = true;
  }
  return shown;
}

/** Whether the order does not matter: a client that goes on, and shows all of the rooms. */
function isShownWhole({ ranges }: AskedList, { length }: Candidate[], { since }: Scene): boolean {
  if (since === 0 || length <= limits.slidingOps_rooms) return false;
  return !ranges || ranges.some(([first, last]) => first === 0 && last >= length - 1);
}

function showList(shown: Shown, { name, ranges, config }: AskedList, matching: Candidate[]): void {
  const all = [0, Math.max(0, matching.length - 1)] as const;
  const list: ShownList = { name, count: matching.length, windows: [] };
  shown.lists.push(list);
  for (const range of ranges ?? [all]) {
    const rooms = matching.slice(range[0], range[1] + 1);
    list.windows.push({ range, roomIds: rooms.map(({ roomId }) => roomId) });
    for (const each of rooms) {
      const { lists } = showRoom(shown, each, config);
      if (lists.at(-1) !== name) lists.push(name);
    }
  }
}

function showRoom({ rooms }: Shown, candidate: Candidate, config: RoomConfig): ShownRoom {
  const before = rooms.get(candidate.roomId);
  const { roomId, membership, outline } = candidate;
  const room = before ?? { roomId, membership, outline, config, lists: [], isSubscribed: false };
  room.config = combined(before?.config, config);
  rooms.set(candidate.roomId, room);
  return room;
}

/** The latest activity first: of a room that the person is in its newest event, else what became of them there. */
function inOrder(candidates: Candidate[]): Candidate[] {
  const activity = ({ membership, outline }: Candidate) =>
    membership.membership === "join" ? Math.max(outline?.last ?? 0, membership.position) : membership.position;
  const keyed = candidates.map((candidate) => ({ candidate, at: activity(candidate) }));
  return keyed.toSorted((a, b) => b.at - a.at).map(({ candidate }) => candidate);
}

function candidatesOf(scene: Scene): Candidate[] {
  const candidates: Candidate[] = [];
  for (const [roomId, membership] of scene.memberships)
    if (isListed(roomId, membership, scene) && !isUnwanted(roomId, membership, scene))
      candidates.push({ roomId, membership, outline: scene.outline(roomId) });
  return candidates;
}

/** Rooms that the person left are shown once, to a client that had them; those that they were put out of stay. */
function isListed(roomId: string, { membership, position }: UserMembership, scene: Scene): boolean {
  if (membership !== "leave" && membership !== "ban") return true;
  if (scene.belongings.putOut.has(roomId)) return true;
  const from = toldUpTo(scene.state.get(roomId)?.events, scene.since);
  return from !== undefined && from < position;
}

/** Invitations by somebody whom the person ignores; and all of them, as long as they take none. */
function isUnwanted(roomId: string, { membership }: UserMembership, scene: Scene): boolean {
  if (membership !== "invite") return false;
  if (scene.belongings.blocksInvites) return true;
  const invitation = scene.room(roomId)?.get("m.room.member", scene.userId);
  return invitation !== undefined && scene.ignoredUsers.has(invitation.sender);
}

type Test = (candidate: Candidate) => boolean;

/** All that a filter names must be so. MSC4186, `SlidingRoomFilter`. */
function filterOf(filters: Filters, scene: Scene): Test {
  const tests: Test[] = [];
  const want = (value: boolean | null | undefined, isSo: Test): void => {
    if (value !== undefined && value !== null) tests.push((candidate) => isSo(candidate) === value);
  };
  want(filters.is_dm, ({ roomId }) => scene.belongings.direct.has(roomId));
  want(filters.is_encrypted, ({ outline }) => (outline?.encryptedAt ?? 0) > 0);
  want(filters.is_invite ?? filters.is_invited, ({ membership }) => membership.membership === "invite");
  const { room_types: types, not_room_types: notTypes, room_name_like: like } = filters;
  if (types) tests.push(({ outline }) => types.includes(outline?.type ?? null));
  if (notTypes) tests.push(({ outline }) => !notTypes.includes(outline?.type ?? null));
  if (like) tests.push(({ outline }) => (outline?.name ?? "").toLowerCase().includes(like.toLowerCase()));
  tests.push(...tagTests(filters, scene));
  if (filters.spaces) {
    const inSpaces = childrenOf(filters.spaces, scene);
    tests.push(({ roomId }) => inSpaces.has(roomId));
  }
  return (candidate) => tests.every((test) => test(candidate));
}

function tagTests({ tags, not_tags: notTags }: Filters, { belongings }: Scene): Test[] {
  const hasOne = (roomId: string, wanted: readonly string[]) => {
    const own = belongings.tags.get(roomId);
    return own !== undefined && wanted.some((tag) => own.has(tag));
  };
  return [
    ...(tags ? [({ roomId }: Candidate) => hasOne(roomId, tags)] : []),
    ...(notTags ? [({ roomId }: Candidate) => !hasOne(roomId, notTags)] : []),
  ];
}

/** The rooms that these spaces name, as far as the person is in them. A child without `via` is none. */
function childrenOf(spaceIds: readonly string[], scene: Scene): Set<string> {
  const children = new Set<string>();
  for (const spaceId of spaceIds) {
    if (scene.memberships.get(spaceId)?.membership !== "join") continue;
    for (const [roomId, child] of scene.room(spaceId)?.ofType("m.space.child") ?? [])
      if (Array.isArray(child.content["via"])) children.add(roomId);
  }
  return children;
}
