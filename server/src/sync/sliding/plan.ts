/** Which of the rooms that a request shows have something to tell. Most are quiet: each is looked at, and few are loaded. */
import type { UserMembership } from "../../rooms/cache.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import { contentOf } from "../../rooms/state.ts";
import type { ShownRoom } from "./lists.ts";
import { isWider } from "./news.ts";
import { readOwnMemberships, readOwnReading, type RoomStretch } from "./queries.ts";
import { hasGrown } from "./required-state.ts";
import { isInMemory, type Kind, type Plan, type Slide } from "./slide.ts";
import { LIVE, toldUpTo } from "./state.ts";

export interface Planned {
  plans: Plan[];
  /** Rooms in which the person read on: their counts are others. */
  read: ReadonlySet<string>;
}

type Draft = Omit<Plan, "room">;

/** What is to be told of the rooms, in their order; of many new ones some are left for the next answer. */
export async function planRooms(slide: Slide, shown: ReadonlyMap<string, ShownRoom>): Promise<Planned> {
  const drafts: Draft[] = [];
  for (const room of looked(slide, shown)) if (!isQuiet(slide, room)) drafts.push(draftOf(slide, room));
  const anew = await joinedAnew(slide, drafts);
  const read = await ownReading(slide, anew);
  let room = limits.slidingAnswer_rooms;
  const wanted = anew.filter((draft) => {
    if (draft.from === undefined) return room-- > 0;
    return hasNews(slide, draft, draft.from) || read.has(draft.roomId);
  });
  const { rooms } = slide.ctx;
  const plans = await Promise.all(
    wanted.map(async (draft) => {
      const state = rooms.peek(draft.roomId) ?? (await rooms.find(draft.roomId));
      return state ? [{ ...draft, room: state }] : [];
    }),
  );
  return { plans: plans.flat(), read };
}

/** In a frame, the rooms in which something happened. */
function looked({ frame, moved }: Slide, shown: ReadonlyMap<string, ShownRoom>): Iterable<ShownRoom> {
  return frame && moved ? [...moved].flatMap((roomId) => shown.get(roomId) ?? []) : shown.values();
}

/** A quick look: in most rooms that are on show nothing happened, and no more is wanted of them than before. */
function isQuiet(slide: Slide, room: ShownRoom): boolean {
  if (!slide.moved || slide.moved.has(room.roomId)) return false;
  return room.membership.membership === "join" && isSettled(slide, room);
}

/** Whether the client has the room, and no more is wanted of it than before: as long as nothing happens there is nothing to tell. */
export function isSettled(
  { state, belongings }: Pick<Slide, "state" | "belongings">,
  { roomId, membership, config }: ShownRoom,
): boolean {
  const before = state.get(roomId);
  if (before?.events !== LIVE) return false;
  if (kindOf(membership) === "outside") return true;
  if (config.limit > before.limit || belongings.direct.has(roomId) !== before.isDirect) return false;
  return config.state === before.state || !hasGrown(before.state, config.state);
}

function draftOf({ state, since, upTo }: Slide, shown: ShownRoom): Draft {
  const before = state.get(shown.roomId);
  const kind = kindOf(shown.membership);
  const end = kind === "left" ? shown.membership.position : upTo;
  return { ...shown, kind, before, from: since === undefined ? undefined : toldUpTo(before?.events, since), end };
}

function kindOf({ membership }: UserMembership): Kind {
  if (membership === "join") return "joined";
  return membership === "invite" || membership === "knock" ? "outside" : "left";
}

/** Who came to a room since the client was told of it gets it as if they had nothing of it. */
async function joinedAnew(slide: Slide, drafts: Draft[]): Promise<Draft[]> {
  const stretches = drafts.flatMap(({ kind, roomId, from, end }) =>
    kind === "joined" && from !== undefined ? { roomId, after: from, upTo: end } : [],
  );
  const anew = await comeAnew(slide, stretches);
  return drafts.map((draft) => (anew.has(draft.roomId) ? { ...draft, from: undefined } : draft));
}

/** Those of the rooms into which the person, who is in them, came within the stretch. */
export async function comeAnew(slide: Slide, stretches: readonly RoomStretch[]): Promise<Set<string>> {
  const changed = stretches.filter(({ roomId, after }) => (slide.memberships.get(roomId)?.position ?? 0) > after);
  const isNear = ({ after }: RoomStretch) => isInMemory(slide, after);
  const [near, away] = [changed.filter(isNear), changed.filter((stretch) => !isNear(stretch))];
  const read = await readOwnMemberships(slide.ctx, slide.ask.session.userId, away);
  const own = [...read, ...near.flatMap((stretch) => ownMemberships(slide, stretch))];
  const byRoom = Map.groupBy(own, ({ roomId }) => roomId as string);
  return new Set([...byRoom].filter(([, events]) => hasComeAnew(events)).map(([roomId]) => roomId));
}

function ownMemberships({ ctx, ask }: Slide, { roomId, after, upTo }: RoomStretch): LogEntry[] {
  const isOwn = ({ type, stateKey, position }: LogEntry) =>
    type === "m.room.member" && stateKey === ask.session.userId && position <= upTo;
  return ctx.log.tail.ofRoom(roomId, after).filter(isOwn);
}

/** Whether these memberships, the last of which is that of a member, are more than a member's new name. */
function hasComeAnew([first, ...others]: readonly LogEntry[]): boolean {
  const replaced = first?.unsigned
    ? (JSON.parse(first.unsigned) as { prev_content?: Content }).prev_content
    : undefined;
  const isJoin = (entry: LogEntry) => contentOf(entry)["membership"] === "join";
  return replaced?.membership !== "join" || !first || !isJoin(first) || !others.every(isJoin);
}

interface Content {
  membership?: unknown;
}

function hasNews(slide: Slide, draft: Draft, from: number): boolean {
  const { membership, kind, outline, before, config } = draft;
  if (kind !== "joined" && membership.position > from) return true;
  if (!before) return true;
  if (kind === "outside") return false;
  if (isWider(draft) || hasGrown(before.state, config.state)) return true;
  if (slide.belongings.direct.has(draft.roomId) !== before.isDirect) return true;
  if (kind === "left") return false;
  if (isInMemory(slide, from)) return slide.ctx.log.tail.lastOfRoom(draft.roomId) > from;
  return (outline?.last ?? Number.POSITIVE_INFINITY) > from;
}

/** Receipts are among a room's news in memory; for rooms that go further back they are asked for. */
async function ownReading(slide: Slide, drafts: readonly Draft[]): Promise<Set<string>> {
  const { userId } = slide.ask.session;
  const told = drafts.filter(({ kind, from }) => kind === "joined" && from !== undefined) as (Draft & {
    from: number;
  })[];
  const away = told.filter(({ from }) => !isInMemory(slide, from)).map(({ from }) => from);
  const read =
    away.length === 0
      ? new Set<string>()
      : await readOwnReading(slide.ctx, { userId, since: Math.min(...away), upTo: slide.upTo });
  const { tail } = slide.ctx.log;
  for (const { roomId, from } of told) {
    if (!isInMemory(slide, from) || tail.lastOfRoom(roomId) <= from) continue;
    const isOwn = tail
      .ofRoom(roomId, from)
      .some(({ kind, type, userId: reader }) => kind === "receipt" && reader === userId && type?.startsWith("m.read"));
    if (isOwn) read.add(roomId);
  }
  return read;
}
