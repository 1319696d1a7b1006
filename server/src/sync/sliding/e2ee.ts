/**
 * What end-to-end encryption needs of an answer: whose device lists changed, and how many keys are left. MSC3884. Only rooms in which
 * something happened are looked at: an account may be in a thousand others.
 */
import { isAboutKeys, tellsOfKeys } from "../../keys/device-lists.ts";
import { type Found, noteMembers } from "../devices.ts";
import { membershipsAt } from "../state.ts";
import { comeAnew } from "./plan.ts";
import type { LogEntry } from "../../log/entry.ts";
import { readDeviceListsOf, readMembersSince } from "./queries.ts";
import { isInMemory, type Slide } from "./slide.ts";

export interface Told {
  json: string;
  /** Whether a client that waits is answered for it. */
  hasNews: boolean;
}

export async function e2eeExtension(slide: Slide): Promise<Told> {
  const { ask, parts } = slide;
  const { userId, deviceId } = ask.session;
  const lists = await deviceLists(slide);
  const counts = await parts.keyCounts.of(userId, deviceId);
  const isAway = slide.since !== undefined && !isInMemory(slide, slide.since);
  const countsChanged =
    isAway || slide.own.some((entry) => entry.type === "one_time_keys" && entry.deviceId === deviceId);
  const hasLists = lists.changed.length + lists.left.length > 0;
  const section = hasLists ? `"device_lists":${JSON.stringify(lists)},` : "";
  return { json: `{${section}${counts}}`, hasNews: hasLists || countsChanged };
}

/** A client that begins asks for the devices of everybody it meets. What is told is what /sync tells: see `deviceLists` there. */
async function deviceLists(slide: Slide): Promise<{ changed: string[]; left: string[] }> {
  if (slide.since === undefined) return { changed: [], left: [] };
  const found: Found = { changed: new Set(), maybeLeft: new Set() };
  const { userId } = slide.ask.session;
  const members = slide.moved ? noteMembersNear(slide, slide.moved, found) : noteMembersAway(slide, found);
  await Promise.all([noteKeys(slide, found), members, noteOwnLeaving(slide, found)]);
  const others = [...new Set([...found.changed, ...found.maybeLeft])].filter((other) => other !== userId);
  const shares = await Promise.all(others.map((other) => sharesWith(slide, other)));
  const sharing = new Set(others.filter((_, i) => shares[i]));
  const changed = [...found.changed].filter((other) => other === userId || sharing.has(other));
  return { changed, left: others.filter((other) => found.maybeLeft.has(other) && !sharing.has(other)) };
}

async function noteKeys({ ctx, ask, since = 0, upTo }: Slide, { changed }: Found): Promise<void> {
  const entries = isInMemory({ ctx }, since)
    ? ctx.log.tail.deviceLists(since).filter(({ position }) => position <= upTo)
    : await readDeviceListsOf(ctx, since, upTo);
  for (const entry of entries)
    if (entry.userId !== null && tellsOfKeys(entry, ask.session.userId)) changed.add(entry.userId);
}

async function noteMembersNear(slide: Slide, moved: ReadonlySet<string>, found: Found): Promise<void> {
  const { ctx, since = 0, upTo, ask } = slide;
  const rooms = [...moved].flatMap((roomId) => {
    const isEvent = ({ kind, position }: LogEntry) => kind === "event" && position <= upTo;
    const events = isJoined(slide, roomId) ? ctx.log.tail.ofRoom(roomId, since).filter(isEvent) : [];
    return events.some(isOfMembers) ? [{ roomId, events }] : [];
  });
  const anew = await comeAnew(
    slide,
    rooms.map(({ roomId }) => ({ roomId, after: since, upTo })),
  );
  for (const { roomId, events } of rooms) {
    const room = await ctx.rooms.load(roomId);
    const news = { userId: ask.session.userId, events, isNew: anew.has(roomId) };
    if (isAboutKeys(room)) noteMembers(room, news, found);
  }
}

/** The log says no more what memberships were replaced: who is in a room where something of theirs changed may be new there. */
async function noteMembersAway(slide: Slide, { changed, maybeLeft }: Found): Promise<void> {
  const { ctx, since = 0, upTo, ask, outlines } = slide;
  const joined = [...slide.memberships.keys()].filter((roomId) => isJoined(slide, roomId));
  const rows = await readMembersSince(ctx, joined, since);
  const anew = await comeAnew(
    slide,
    joined.map((roomId) => ({ roomId, after: since, upTo })),
  );
  const isWhole = (roomId: string) => anew.has(roomId) || (outlines.peek(roomId)?.encryptedAt ?? 0) > since;
  for (const roomId of joined.filter(isWhole)) {
    const room = await ctx.rooms.load(roomId);
    if (isAboutKeys(room)) for (const other of room.joined()) if (other !== ask.session.userId) changed.add(other);
  }
  for (const { roomId, userId, membership } of rows)
    if (userId !== ask.session.userId && (await tellsKeys(slide, roomId)))
      (membership === "join" ? changed : maybeLeft).add(userId);
}

/** Whom the person shared a room with that they left. */
async function noteOwnLeaving(slide: Slide, { maybeLeft }: Found): Promise<void> {
  const { ctx, ask, memberships, moved, since = 0 } = slide;
  const roomIds = [...(moved ?? memberships.keys())].filter((roomId) => {
    const { membership, position = 0 } = memberships.get(roomId) ?? {};
    return (membership === "leave" || membership === "ban") && position > since;
  });
  if (roomIds.length === 0) return;
  for (const [roomId, { membership }] of await membershipsAt(ctx, ask.session.userId, { roomIds, at: since })) {
    const room = membership === "join" ? await ctx.rooms.find(roomId) : undefined;
    if (room && isAboutKeys(room)) for (const userId of room.joined()) maybeLeft.add(userId);
  }
}

function isOfMembers({ type, stateKey }: LogEntry): boolean {
  return stateKey !== null && (type === "m.room.member" || type === "m.room.encryption");
}

function isJoined({ memberships }: Slide, roomId: string): boolean {
  return memberships.get(roomId)?.membership === "join";
}

/** `isAboutKeys` of a room that need not be in memory: one that is encrypted is. */
async function tellsKeys({ ctx, outlines }: Slide, roomId: string): Promise<boolean> {
  if ((outlines.peek(roomId)?.encryptedAt ?? 0) > 0) return true;
  const room = await ctx.rooms.find(roomId);
  return room !== undefined && isAboutKeys(room);
}

async function sharesWith(slide: Slide, userId: string): Promise<boolean> {
  const { rooms } = slide.ctx;
  const common: string[] = [];
  for (const [roomId, { membership }] of rooms.peekMemberships(userId) ?? (await rooms.memberships(userId)))
    if (membership === "join" && isJoined(slide, roomId)) common.push(roomId);
  const isEncrypted = (roomId: string) => (slide.outlines.peek(roomId)?.encryptedAt ?? 0) > 0;
  if (common.some(isEncrypted)) return true;
  for (const roomId of common) if (await tellsKeys(slide, roomId)) return true;
  return false;
}
