/**
 * What end-to-end encryption needs of an answer: whose device lists changed, and how many keys are left. MSC3884. Only rooms in which
 * something happened are looked at: an account may be in a thousand others.
 */
import { tellsOfKeys } from "../../keys/device-lists.ts";
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

/** Somebody's keys matter to whoever shares an encrypted room with them. */
interface Found {
  changed: Set<string>;
  /** They left a room, and may be in no other. */
  maybeLeft: Set<string>;
}

/** A client that begins asks for the devices of everybody it meets. */
async function deviceLists(slide: Slide): Promise<{ changed: string[]; left: string[] }> {
  if (slide.since === undefined) return { changed: [], left: [] };
  const found: Found = { changed: new Set(), maybeLeft: new Set() };
  const { userId } = slide.ask.session;
  const encrypted = encryptedRooms(slide);
  await Promise.all([noteKeys(slide, found), noteMembers(slide, encrypted, found), noteOwnLeaving(slide, found)]);
  const others = [...new Set([...found.changed, ...found.maybeLeft])].filter((other) => other !== userId);
  const sharing = new Set(await sharersAmong(slide, others, encrypted));
  const changed = [...found.changed].filter((other) => other === userId || sharing.has(other));
  return { changed, left: others.filter((other) => found.maybeLeft.has(other) && !sharing.has(other)) };
}

function encryptedRooms({ memberships, outlines }: Slide): Set<string> {
  const rooms = new Set<string>();
  for (const [roomId, { membership }] of memberships)
    if (membership === "join" && (outlines.peek(roomId)?.encryptedAt ?? 0) > 0) rooms.add(roomId);
  return rooms;
}

async function noteKeys({ ctx, ask, since = 0, upTo }: Slide, { changed }: Found): Promise<void> {
  const entries = isInMemory({ ctx }, since)
    ? ctx.log.tail.deviceLists(since).filter(({ position }) => position <= upTo)
    : await readDeviceListsOf(ctx, since, upTo);
  for (const entry of entries)
    if (entry.userId !== null && tellsOfKeys(entry, ask.session.userId)) changed.add(entry.userId);
}

/** Who came to the rooms, or left them; of a room that is new to the person, or newly encrypted, everybody. */
async function noteMembers(slide: Slide, encrypted: ReadonlySet<string>, { changed, maybeLeft }: Found): Promise<void> {
  const { ctx, memberships, outlines, since = 0 } = slide;
  const isNew = (roomId: string) =>
    (memberships.get(roomId)?.position ?? 0) > since || (outlines.peek(roomId)?.encryptedAt ?? 0) > since;
  const whole = [...encrypted].filter(isNew);
  for (const room of await Promise.all(whole.map((roomId) => ctx.rooms.load(roomId))))
    for (const userId of room.joined()) changed.add(userId);
  for (const { userId, membership } of await membersSince(slide, encrypted))
    (membership === "join" ? changed : maybeLeft).add(userId);
}

async function membersSince(
  { ctx, since = 0, upTo }: Slide,
  encrypted: ReadonlySet<string>,
): Promise<{ userId: string; membership: string }[]> {
  const { tail } = ctx.log;
  if (!isInMemory({ ctx }, since)) return readMembersSince(ctx, [...encrypted], since);
  const rooms = [...encrypted].filter((roomId) => tail.lastOfRoom(roomId) > since);
  const events = rooms.flatMap((roomId) =>
    tail.ofRoom(roomId, since).filter(({ type, position }) => type === "m.room.member" && position <= upTo),
  );
  return events.map(({ stateKey, body }) => {
    const { content } = JSON.parse(body) as { content: { membership: string } };
    return { userId: stateKey as string, membership: content.membership };
  });
}

/** Whom the person shared a room with that they left. */
async function noteOwnLeaving({ ctx, memberships, outlines, since = 0 }: Slide, { maybeLeft }: Found): Promise<void> {
  const left = [...memberships].filter(
    ([roomId, { membership, position }]) =>
      (membership === "leave" || membership === "ban") &&
      position > since &&
      (outlines.peek(roomId)?.encryptedAt ?? 0) > 0,
  );
  for (const room of await Promise.all(left.map(([roomId]) => ctx.rooms.load(roomId))))
    for (const userId of room.joined()) maybeLeft.add(userId);
}

async function sharersAmong(
  { ctx }: Slide,
  userIds: readonly string[],
  encrypted: ReadonlySet<string>,
): Promise<string[]> {
  const shares = await Promise.all(
    userIds.map(async (userId) => {
      for (const [roomId, { membership }] of ctx.rooms.peekMemberships(userId) ?? (await ctx.rooms.memberships(userId)))
        if (membership === "join" && encrypted.has(roomId)) return true;
      return false;
    }),
  );
  return userIds.filter((_, i) => shares[i]);
}
