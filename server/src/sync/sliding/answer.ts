/** One answer of sliding sync: what is new to the client of what it asked to be shown. MSC4186, "Response Body". */
import { ignoredUsersOf } from "../../account/ignored-users.ts";
import { endingOf } from "../../auth/sessions.ts";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { Memberships, UserMembership } from "../../rooms/cache.ts";
import type { SyncParts } from "../run.ts";
import type { Held } from "./connections.ts";
import { e2eeExtension, type Told } from "./e2ee.ts";
import { accountDataExtension, receiptsExtension, type RoomsTold, typingExtension } from "./extensions.ts";
import { show, type Shown } from "./lists.ts";
import type { Basis, Frame } from "./frames.ts";
import { gatherNews } from "./news.ts";
import { slidingPartsOf } from "./parts.ts";
import { isSettled, planRooms } from "./plan.ts";
import type { SlidingAsk } from "./request.ts";
import { requiredState } from "./required-state.ts";
import { tellRoom, type ToldRoom } from "./room.ts";
import { isInMemory, type Slide } from "./slide.ts";
import { LIVE, NEVER, type SentRoom, type StateChange } from "./state.ts";
import { toDeviceExtension } from "./to-device.ts";

/** Where the client stands, by its token. */
export interface Standing {
  /** Undefined where it begins. */
  since: number | undefined;
  /** How much of typing it has seen. */
  seen: number;
  held: Held;
  /** Its token as it is. */
  pos: string | undefined;
  /** Up to where it has its to-device messages. */
  messagesSince: number;
}

export interface SlidingAnswer {
  upTo: number;
  /** Whether there is something for a client that waits. */
  hasNews: boolean;
  /** What the client has with it beyond what it had. */
  change: StateChange;
  /** Whether the client's token says that it has everything of all rooms that the person is in. */
  hadAll: boolean;
  /** What was said in the rooms that it tells. */
  events(): LogEntry[];
  /** The answer goes out with this token. */
  json(pos: string): string;
}

interface Asked {
  parts: SyncParts;
  ask: SlidingAsk;
  standing: Standing;
}

/** Builds the answer of this moment. Throws M_UNKNOWN_TOKEN where the session has ended, and M_USER_LOCKED. */
export async function buildAnswer(ctx: Context, asked: Asked): Promise<SlidingAnswer> {
  const { slide, shown } = await look(ctx, asked);
  refuseEnded(ctx, slide);
  const { plans, read } = await planRooms(slide, shown.rooms);
  const news = await gatherNews(slide, plans);
  const joined = plans.filter(({ kind }) => kind === "joined").map(({ room }) => room);
  if (joined.length > 0) await slide.parts.unread.prepare(slide.ask.session.userId, joined);
  const rooms = new Map<string, ToldRoom>();
  for (const plan of plans)
    rooms.set(
      plan.roomId,
      await tellRoom(slide, plan, { news: news.get(plan.roomId), hasRead: read.has(plan.roomId) }),
    );
  const extensions = await tellExtensions(slide, shown, { rooms, messagesSince: asked.standing.messagesSince });
  const texts = [...rooms].flatMap(([roomId, { json }]) =>
    json === undefined ? [] : `${JSON.stringify(roomId)}:${json}`,
  );
  const change = slide.frame ? changeInFrame(slide, rooms) : changeOf(slide, shown, { rooms, ...extensions });
  const hadAll = slide.frame?.hasAll ?? hasAll(slide);
  if (change.size === 0) keepFrame(slide, { shown, memberships: slide.memberships, hasAll: hadAll });
  return {
    upTo: slide.upTo,
    hasNews: texts.length > 0 || extensions.hasNews,
    change,
    hadAll,
    events: () =>
      [...rooms.values()].flatMap(({ timeline }) => timeline.filter(({ position }) => position > (slide.since ?? 0))),
    json(pos) {
      slide.members.end(pos);
      return `{"pos":"${pos}","lists":{${listsJson(shown)}},"rooms":{${texts.join(",")}},"extensions":{${extensions.json}}}`;
    },
  };
}

/** Brings into memory what lists are made of; then the log is looked at in one moment. */
async function look(ctx: Context, { parts, ask, standing }: Asked): Promise<{ slide: Slide; shown: Shown }> {
  const { userId } = ask.session;
  const { outlines, belongings, members, frames } = slidingPartsOf(ctx);
  const [known, own, ignoredUsers] = await Promise.all([
    ctx.rooms.memberships(userId),
    belongings.get(userId),
    ignoredUsersOf(ctx, userId),
  ]);
  const { since } = standing;
  const connection = connectionOf(ask);
  const found = { state: standing.held.state, memberships: known, belongings: own, ignoredUsers };
  const isNear = () => since !== undefined && isInMemory({ ctx }, since);
  const frameNow = () => (isNear() ? frames.find(connection, basisOf(ctx, ask, found), since ?? 0) : undefined);
  if (!frameNow()) await prepareLists(ctx, ask, { memberships: known, ignoredUsers });

  // From here on it is one moment.
  const basis = basisOf(ctx, ask, found);
  const frame = frameNow();
  const memberships = frame?.memberships ?? new Map(basis.memberships);
  const upTo = ctx.log.hub.head();
  const { tail } = ctx.log;
  const slide: Slide = {
    ctx,
    parts,
    ask,
    since,
    seen: standing.seen,
    upTo,
    state: standing.held.state,
    memberships,
    belongings: own,
    outlines,
    moved: isNear() ? tail.movedAmong(memberships, since ?? 0) : undefined,
    frame,
    basis: belongings.peek(userId) === own ? basis : undefined,
    ignoredUsers,
    members: members.begin(connection, standing.pos),
    own: isNear() ? tail.ofUser(userId, since ?? 0).filter(({ position }) => position <= upTo) : [],
  };
  ctx.metrics.syncs.inc({ from: slide.moved ? "memory" : "database" });
  if (frame) return { slide, shown: frame.shown };
  const shown = show(ask, {
    ...slide,
    since: since ?? 0,
    belongings: own,
    userId,
    outline: outlines.peek,
    room: ctx.rooms.peek,
  });
  return { slide, shown };
}

function connectionOf({ session, connId }: SlidingAsk): string {
  return `${session.id} ${connId}`;
}

/** What an answer of this moment rests on. */
function basisOf(
  ctx: Context,
  ask: SlidingAsk,
  found: Pick<Basis, "state" | "memberships" | "belongings" | "ignoredUsers">,
): Basis {
  const memberships = ctx.rooms.peekMemberships(ask.session.userId) ?? found.memberships;
  const outlines = slidingPartsOf(ctx).outlines.changes();
  return { ...found, rules: ask.rules, memberships, size: memberships.size, outlines };
}

/** Brings into memory what lists are made of. */
async function prepareLists(
  ctx: Context,
  ask: SlidingAsk,
  { memberships, ignoredUsers }: { memberships: Memberships; ignoredUsers: ReadonlySet<string> },
): Promise<void> {
  await slidingPartsOf(ctx).outlines.prepare(memberships.keys());
  const spaces = ask.lists.flatMap(({ filters }) => filters.spaces ?? []).filter((roomId) => memberships.has(roomId));
  const isInvitation = ([, { membership }]: [string, UserMembership]) => membership === "invite";
  const invitations = ignoredUsers.size === 0 ? [] : [...memberships].filter(isInvitation).map(([roomId]) => roomId);
  await Promise.all([...spaces, ...invitations].map((roomId) => ctx.rooms.find(roomId)));
}

/** The next answer may be built on this one where nothing but news in rooms can make it another. */
function keepFrame(slide: Slide, frame: Frame): void {
  const { ctx, ask, basis, since } = slide;
  if (!basis || slide.frame || since === undefined || !frame.shown.isWhole) return;
  for (const room of frame.shown.rooms.values()) if (!isSettled(slide, room)) return;
  slidingPartsOf(ctx).frames.keep(connectionOf(ask), basis, frame);
}

function hasAll({ since, memberships, state }: Slide): boolean {
  if (since === undefined) return false;
  for (const [roomId, { membership }] of memberships)
    if (membership === "join" && state.get(roomId)?.events !== LIVE) return false;
  return true;
}

/** G8: a session that ended while it waited learns nothing more. */
function refuseEnded(ctx: Context, { own, ask }: Slide): void {
  for (const entry of own) {
    const ending = endingOf(entry, ask.session, ctx.log);
    if (ending) throw ending;
  }
}

interface ToldExtensions extends Told {
  accountData: readonly string[];
  receipts: readonly string[];
}

async function tellExtensions(
  slide: Slide,
  shown: Shown,
  { rooms, messagesSince }: { rooms: ReadonlyMap<string, ToldRoom>; messagesSince: number },
): Promise<ToldExtensions> {
  const { toDevice, e2ee, accountData, receipts, typing } = slide.ask.extensions;
  const [messages, keys, data, read] = await Promise.all([
    toDevice && toDeviceExtension(slide, messagesSince, toDevice.limit),
    e2ee ? e2eeExtension(slide) : undefined,
    accountData && accountDataExtension(slide, shown, accountData),
    receipts && receiptsExtension(slide, shown, { scope: receipts, rooms }),
  ]);
  const types = typing && typingExtension(slide, shown, typing);
  const all = Object.entries({ to_device: messages, e2ee: keys, account_data: data, receipts: read, typing: types });
  const told = all.flatMap(([name, each]: [string, Told | undefined]) => (each ? [{ name, ...each }] : []));
  const toldIn = (each: RoomsTold | undefined) => each?.told ?? [];
  return {
    json: told.map(({ name, json }) => `"${name}":${json}`).join(","),
    hasNews: told.some(({ hasNews }) => hasNews),
    accountData: toldIn(data),
    receipts: toldIn(read),
  };
}

function listsJson({ lists }: Shown): string {
  return lists
    .map(({ name, count, windows }) => {
      const rooms = windows.reduce((sum, { roomIds }) => sum + roomIds.length, 0);
      const ops = windows.map(({ range, roomIds }) => ({ op: "SYNC", range, room_ids: roomIds }));
      // Clients of the proposal before this one show what is repeated here; those of this one use large windows, and do not.
      const isSmall = rooms <= limits.slidingOps_rooms;
      return `${JSON.stringify(name)}:${JSON.stringify({ count, ...(isSmall ? { ops } : {}) })}`;
    })
    .join(",");
}

const UNTOLD: SentRoom = {
  events: NEVER,
  accountData: NEVER,
  receipts: NEVER,
  limit: 0,
  state: requiredState([]),
  isDirect: false,
};

/** How what the client has changes with the answer: what is told, and what from now on goes on without it. */
function changeOf(
  slide: Slide,
  shown: Shown,
  told: { rooms: ReadonlyMap<string, ToldRoom>; accountData: readonly string[]; receipts: readonly string[] },
): StateChange {
  const { state, since } = slide;
  const change = new Map<string, SentRoom | null>();
  const [accountData, receipts] = [new Set(told.accountData), new Set(told.receipts)];
  const stop = (position: number) => (position === LIVE ? (since ?? NEVER) : position);
  const note = (roomId: string, before: SentRoom): void => {
    const isShown = shown.rooms.has(roomId);
    const sent = told.rooms.get(roomId)?.sent ?? before;
    const events = isShown && sent.events !== NEVER ? LIVE : stop(before.events);
    const data = accountData.has(roomId) ? LIVE : stop(before.accountData);
    const read = receipts.has(roomId) ? LIVE : stop(before.receipts);
    const isSame = events === before.events && data === before.accountData && read === before.receipts;
    if (!isShown && isGone(slide, roomId)) change.set(roomId, null);
    else if (!isSame || !isAsMuch(before, sent))
      change.set(roomId, { ...sent, events, accountData: data, receipts: read });
  };
  for (const [roomId, before] of state) note(roomId, before);
  for (const roomId of shown.rooms.keys()) if (!state.has(roomId)) note(roomId, UNTOLD);
  return change;
}

/** The same where all of it was on show before, and is so still. */
function changeInFrame({ state }: Slide, rooms: ReadonlyMap<string, ToldRoom>): StateChange {
  const change = new Map<string, SentRoom>();
  for (const [roomId, { sent }] of rooms) if (!isAsMuch(state.get(roomId) ?? UNTOLD, sent)) change.set(roomId, sent);
  return change;
}

/** Rooms that the person left need not be remembered once they are no longer shown. */
function isGone({ memberships, belongings }: Slide, roomId: string): boolean {
  const membership = memberships.get(roomId)?.membership;
  const isOut = membership === undefined || membership === "leave" || membership === "ban";
  return isOut && !belongings.putOut.has(roomId);
}

function isAsMuch(a: SentRoom, b: SentRoom): boolean {
  return a === b || (a.limit === b.limit && a.state.id === b.state.id && a.isDirect === b.isDirect);
}
