/**
 * One room's part of a sync. Each section is JSON text, put together from events that are encoded once for all readers.
 * Specification: client-server-api, GET /sync, "Joined Room" and "Left Room".
 */
import { DELIVERED, isOwnReceipt, type LogEntry } from "../log/entry.ts";
import { aggregationsOf } from "../messages/aggregations.ts";
import { clientEvent } from "../messages/client-event.ts";
import { erasing } from "../messages/erased.ts";
import { readingIn } from "../messages/reading.ts";
import { membershipsOf, sightOf } from "../rooms/access.ts";
import type { Membership, RoomState } from "../rooms/state.ts";
import type { RoomNews } from "./gather.ts";
import { type Run, timelineLimit, tokenAt } from "./run.ts";
import { membersForTimeline } from "./members.ts";
import { receiptEvents } from "./receipts.ts";
import { newestState, readStateChanges, stateAt } from "./state.ts";
import { summaryOf } from "./summary.ts";
import type { Unread } from "./unread.ts";

interface Timeline {
  events: readonly LogEntry[];
  limited: boolean;
  /** The stretch of the log that the timeline speaks of begins behind this position. */
  start: number;
}

/** Whether there may be something to tell of a joined room: a quick look, since most rooms are quiet in most syncs. */
export function isQuiet(run: Run, room: RoomState): boolean {
  const { ask, ctx, news } = run;
  const here = news.ofRoom(room.roomId);
  if (here.events.length > 0 || here.receipts.length > 0 || ask.fullState || run.isNew(room.roomId)) return false;
  if ((ctx.ephemeral.typing(room.roomId)?.changed ?? 0) > ask.seen) return false;
  return !news.own.some((entry) => entry.roomId === room.roomId);
}

/** The JSON of a joined room, or undefined where there is nothing to tell. */
export async function joinedRoom(run: Run, room: RoomState): Promise<string | undefined> {
  const { ctx, ask, upTo, news } = run;
  const isNew = run.isNew(room.roomId);
  const here = news.ofRoom(room.roomId);
  const ephemeral = ephemeralOf(run, room, here.receipts);
  const accountData = accountDataOf(run, room.roomId);
  const counts = isNew || here.events.length > 0 || ownReceipt(run, here.receipts);
  if (ephemeral.length === 0 && accountData.length === 0 && !counts && !ask.fullState) return undefined;
  const timeline = isNew
    ? newTimeline(run, room, { end: upTo, ...(await sightOf(ctx, room, ask.session.userId)) })
    : newsTimeline(run, await seenOf(run, room, here), upTo);
  const state = await stateOf(run, room, { timeline, isNew, end: upTo, here });
  const sections = [
    `"timeline":${await timelineJson(run, room, { ...timeline, relations: await relationsOf(run, room, timeline) })}`,
    stateJson(run, room, { timeline, isNew, end: upTo, state }),
    // Always there, as the timeline and the state are: there are clients and suites that ask for all three.
    `"ephemeral":{"events":[${ephemeral.join(",")}]}`,
  ];
  if (accountData.length > 0) sections.push(`"account_data":{"events":[${accountData.join(",")}]}`);
  if (isNew || ask.fullState || timeline.limited || here.events.some((event) => event.type === "m.room.member"))
    sections.push(`"summary":${summaryOf(room, ask.session.userId)}`);
  if (counts) sections.push(await unreadJson(run, room));
  return `{${sections.join(",")}}`;
}

/**
 * The JSON of a room that the person left, was banned from, or was never in and has declined. What came after is not theirs to
 * see, nor is the state of a room that they did not come from: of that they see their own leaving, and what anyone may.
 */
export async function leftRoom(run: Run, room: RoomState, leftAt: number): Promise<string> {
  const { ask, ctx } = run;
  const { userId } = ask.session;
  const wasIn = (await membershipsOf(ctx, room, userId))(leftAt - 1) === "join";
  const sight = await sightOf(ctx, room, userId);
  const sees = (event: LogEntry) => event.position === leftAt || sight.sees(event);
  const { events, truncated } = run.news.ofRoom(room.roomId);
  const here: RoomNews = { events: events.filter(sees), receipts: [], truncated };
  const isNew = run.isNew(room.roomId);
  const timeline = isNew ? newTimeline(run, room, { end: leftAt, sees }) : newsTimeline(run, here, leftAt);
  const state = wasIn ? await stateOf(run, room, { timeline, isNew, end: leftAt, here }) : "hidden";
  const accountData = accountDataOf(run, room.roomId);
  const told = await timelineJson(run, room, { ...timeline, relations: NO_RELATIONS });
  return `{"timeline":${told},${stateJson(run, room, { timeline, isNew, end: leftAt, state })},"account_data":{"events":[${accountData.join(",")}]}}`;
}

/**
 * The newest events of a room that the client does not know yet. One that starts over may have some of another history, and only
 * drops them where the timeline is said to be limited; a short room would be whole here, and be added to what never happened.
 */
function newTimeline(
  run: Run,
  room: RoomState,
  { end, sees }: { end: number; sees(event: LogEntry): boolean },
): Timeline {
  const limit = timelineLimit(run.ask);
  const newest = run.history.get(room.roomId) ?? [];
  const wanted = newest.filter((event) => isWanted(run, event) && sees(event));
  const events = limit === 0 ? [] : wanted.slice(-limit);
  const hasOlder = newest.length > limit || events.length < wanted.length;
  return { events, limited: hasOlder || run.ask.startsOver, start: (events[0]?.position ?? end + 1) - 1 };
}

/** What happened since the client last asked, up to `end`. */
function newsTimeline(run: Run, { events, truncated }: RoomNews, end: number): Timeline {
  const limit = timelineLimit(run.ask);
  const wanted = events.filter((event) => isWanted(run, event));
  const limited = truncated || wanted.length > limit;
  const kept = !limited ? wanted : limit === 0 ? [] : wanted.slice(-limit);
  const start = limited ? (kept[0]?.position ?? end + 1) - 1 : run.since;
  return { events: kept, limited, start };
}

/** Who left and came back within the stretch sees of the time between what their sight allows. */
async function seenOf(run: Run, room: RoomState, news: RoomNews): Promise<RoomNews> {
  const { userId } = run.ask.session;
  const isOwn = (event: LogEntry) => event.type === "m.room.member" && event.stateKey === userId;
  if (!news.events.some(isOwn)) return news;
  const sight = await sightOf(run.ctx, room, userId);
  return { ...news, events: news.events.filter((event) => sight.sees(event)) };
}

function isWanted({ ask, ignoredUsers }: Run, event: LogEntry): boolean {
  if (event.stateKey === null && ignoredUsers.has(event.userId as string)) return false;
  return ask.filter.timeline.matches?.(event) ?? true;
}

const NO_RELATIONS: ReadonlyMap<string, string> = new Map();

/**
 * What later events say about those of a limited timeline: the client did not see all of them come. Of a whole one it did.
 * Specification: client-server-api, "Aggregations of child events".
 */
async function relationsOf(
  run: Run,
  room: RoomState,
  { events, limited }: Timeline,
): Promise<ReadonlyMap<string, string>> {
  if (!limited) return NO_RELATIONS;
  const parents = run.isNew(room.roomId) ? events.filter((event) => run.parents.has(event.eventId as string)) : events;
  if (parents.length === 0) return NO_RELATIONS;
  return aggregationsOf(await readingIn(run.ctx, room, run.ask.session), parents);
}

interface ToldTimeline extends Timeline {
  /** By event id, the JSON of `m.relations`. */
  relations: ReadonlyMap<string, string>;
}

async function timelineJson(
  run: Run,
  room: RoomState,
  { events, limited, start, relations }: ToldTimeline,
): Promise<string> {
  const { ctx, ask } = run;
  const membershipAt = await membershipsAlong(run, room, events);
  const wasIn = ({ position }: LogEntry) => membershipAt(position) === "join";
  const shown = await erasing(ctx, { room, userId: ask.session.userId }, { entries: events, wasIn });
  const texts = events.map((event) => {
    const bundled = relations.get(event.eventId as string);
    const reader = {
      sessionId: ask.session.id,
      membership: membershipAt(event.position),
      ...(bundled ? { relations: bundled } : {}),
    };
    return ask.filter.project(clientEvent(shown(event), reader));
  });
  const from = events[0] ? events[0].position - 1 : start;
  return `{"events":[${texts.join(",")}],"limited":${limited},"prev_batch":"${tokenAt(ctx, from)}"}`;
}

/** What the person was at each of the events. Who has been in the room since before the first of them needs no history for it. */
async function membershipsAlong(
  { ctx, ask }: Run,
  room: RoomState,
  events: readonly LogEntry[],
): Promise<(position: number) => Membership> {
  const { userId } = ask.session;
  const isJoined = room.membership(userId) === "join";
  const first = events[0]?.position ?? Number.MAX_SAFE_INTEGER;
  return isJoined && room.memberPosition(userId) <= first ? () => "join" : membershipsOf(ctx, room, userId);
}

interface StateOptions {
  timeline: Timeline;
  isNew: boolean;
  /** Where the timeline ends. */
  end: number;
  /** What of the room's news the person may learn. */
  here: RoomNews;
}

/** The state to tell, before the filter and lazy loading take their part away. */
async function stateOf(run: Run, room: RoomState, { timeline, isNew, end, here }: StateOptions): Promise<LogEntry[]> {
  const { ctx, ask, since } = run;
  const isAfter = ask.stateSection !== "state";
  const to = isAfter ? end : timeline.start;
  if (isNew || ask.fullState) return stateAt(ctx, room, to);
  // Whatever of the stretch the timeline does not show, because it is limited or filtered.
  if (here.truncated) return readStateChanges(ctx, room.roomId, { since, upTo: to });
  if (isAfter) return newestState(here.events);
  const shown = new Set(timeline.events);
  return newestState(here.events.filter((event) => !shown.has(event) && (event.position <= to || !timeline.limited)));
}

function stateJson(
  run: Run,
  room: RoomState,
  { timeline, isNew, end, state }: Omit<StateOptions, "here"> & { state: readonly LogEntry[] | "hidden" },
): string {
  const { ask } = run;
  const { matches, lazyLoadMembers } = ask.filter.state;
  if (state === "hidden") return `"${ask.stateSection}":{"events":[]}`;
  const wanted = matches ? state.filter((event) => matches(event)) : state;
  const told = lazyLoadMembers ? membersForTimeline(run, room, { timeline, isNew, end, state: wanted }) : wanted;
  const texts = told.map((event) => ask.filter.project(clientEvent(event)));
  return `"${ask.stateSection}":{"events":[${texts.join(",")}]}`;
}

function ownReceipt(run: Run, receipts: readonly LogEntry[]): boolean {
  return receipts.some(({ type, userId }) => userId === run.ask.session.userId && type !== DELIVERED);
}

function ephemeralOf(run: Run, room: RoomState, receipts: readonly LogEntry[]): string[] {
  const { ask, ctx } = run;
  const events = receiptEvents(
    receipts.filter((receipt) => !isOwnReceipt(receipt) || receipt.userId === ask.session.userId),
  );
  const typing = ctx.ephemeral.typing(room.roomId);
  if (typing && typing.changed > ask.seen && (typing.users.length > 0 || !run.ask.isFirst))
    events.push(JSON.stringify({ type: "m.typing", content: { user_ids: typing.users } }));
  const { matches } = ask.filter.ephemeral;
  return matches
    ? events.filter((event) =>
        matches({ type: event.startsWith('{"type":"m.typing"') ? "m.typing" : "m.receipt", roomId: room.roomId }),
      )
    : events;
}

function accountDataOf({ news, ask }: Run, roomId: string): string[] {
  const entries = news.own.filter((entry) => entry.kind === "account_data" && entry.roomId === roomId);
  const newest = new Map(entries.map((entry) => [entry.type as string, entry.body]));
  const { matches } = ask.filter.roomAccountData;
  return [...newest]
    .filter(([type]) => matches?.({ type, roomId }) ?? true)
    .map(([type, content]) => `{"type":${JSON.stringify(type)},"content":${content}}`);
}

async function unreadJson({ parts, ask }: Run, room: RoomState): Promise<string> {
  return unreadSections(await parts.unread.count(ask.session.userId, room), ask.filter.unreadThreadNotifications);
}

/** The unread counts as members of a joined room: threads each by itself, or within the room's. */
export function unreadSections({ main, threads }: Unread, isPerThread: boolean): string {
  const json = (counts: { highlights: number; notifications: number }) =>
    `{"highlight_count":${counts.highlights},"notification_count":${counts.notifications}}`;
  if (isPerThread) {
    const perThread = [...threads].map(([root, counts]) => `${JSON.stringify(root)}:${json(counts)}`);
    return `"unread_notifications":${json(main)},"unread_thread_notifications":{${perThread.join(",")}}`;
  }
  const all = { highlights: main.highlights, notifications: main.notifications };
  for (const counts of threads.values()) {
    all.highlights += counts.highlights;
    all.notifications += counts.notifications;
  }
  return `"unread_notifications":${json(all)}`;
}
