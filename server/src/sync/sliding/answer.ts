/** One answer of sliding sync: what is new to the client of what it asked to be shown. MSC4186, "Response Body". */
import { ignoredUsersOf } from "../../account/ignored-users.ts";
import { endingOf } from "../../auth/sessions.ts";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { SyncParts } from "../run.ts";
import type { Held } from "./connections.ts";
import { e2eeExtension, type Told } from "./e2ee.ts";
import { accountDataExtension, receiptsExtension, type RoomsTold, typingExtension } from "./extensions.ts";
import { show, type Shown } from "./lists.ts";
import { gatherNews } from "./news.ts";
import { slidingPartsOf } from "./parts.ts";
import { planRooms } from "./plan.ts";
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
  refuseEnded(slide);
  const { plans, read } = await planRooms(slide, shown.rooms.values());
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
  return {
    upTo: slide.upTo,
    hasNews: texts.length > 0 || extensions.hasNews,
    change: changeOf(slide, shown, { rooms, ...extensions }),
    events: () =>
      [...rooms.values()].flatMap(({ timeline }) => timeline.filter(({ position }) => position > (slide.since ?? 0))),
    json(pos) {
      slide.members.end(pos);
      const { txnId } = slide.ask;
      const txn = txnId === undefined ? "" : `"txn_id":${JSON.stringify(txnId)},`;
      return `{"pos":"${pos}",${txn}"lists":{${listsJson(shown)}},"rooms":{${texts.join(",")}},"extensions":{${extensions.json}}}`;
    },
  };
}

/** Brings into memory what lists are made of; then the log is looked at in one moment. */
async function look(ctx: Context, { parts, ask, standing }: Asked): Promise<{ slide: Slide; shown: Shown }> {
  const { userId } = ask.session;
  const { outlines, belongings, members } = slidingPartsOf(ctx);
  const [known, own, ignoredUsers] = await Promise.all([
    ctx.rooms.memberships(userId),
    belongings.get(userId),
    ignoredUsersOf(ctx, userId),
  ]);
  await outlines.prepare(known.keys());
  const spaces = ask.lists.flatMap(({ filters }) => filters.spaces ?? []).filter((roomId) => known.has(roomId));
  const invitations = ignoredUsers.size === 0 ? [] : [...known].filter(([, { membership }]) => membership === "invite");
  await Promise.all([...spaces, ...invitations.map(([roomId]) => roomId)].map((roomId) => ctx.rooms.find(roomId)));

  const memberships = ctx.rooms.peekMemberships(userId) ?? known;
  const upTo = ctx.log.hub.head();
  const { since } = standing;
  const isNear = since !== undefined && isInMemory({ ctx }, since);
  const slide: Slide = {
    ctx,
    parts,
    ask,
    since,
    seen: standing.seen,
    upTo,
    state: standing.held.state,
    memberships: new Map(memberships),
    belongings: own,
    outlines,
    ignoredUsers,
    members: members.begin(`${ask.session.id} ${ask.connId}`, standing.pos),
    own: isNear ? ctx.log.tail.ofUser(userId, since).filter(({ position }) => position <= upTo) : [],
  };
  const shown = show(ask, {
    ...slide,
    since: since ?? 0,
    belongings: own,
    userId,
    outline: outlines.peek,
    room: ctx.rooms.peek,
  });
  ctx.metrics.syncs.inc({ from: isNear ? "memory" : "database" });
  return { slide, shown };
}

/** G8: a session that ended while it waited learns nothing more. */
function refuseEnded({ own, ask }: Slide): void {
  for (const entry of own) {
    const ending = endingOf(entry, ask.session.id);
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

/** Rooms that the person left need not be remembered once they are no longer shown. */
function isGone({ memberships, belongings }: Slide, roomId: string): boolean {
  const membership = memberships.get(roomId)?.membership;
  const isOut = membership === undefined || membership === "leave" || membership === "ban";
  return isOut && !belongings.putOut.has(roomId);
}

function isAsMuch(a: SentRoom, b: SentRoom): boolean {
  return a === b || (a.limit === b.limit && a.state.id === b.state.id && a.isDirect === b.isDirect);
}
