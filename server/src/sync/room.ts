/**
 * One room's part of a sync. Each section is JSON text, put together from events that are encoded once for all readers.
 * Specification: client-server-api, GET /sync, "Joined Room" and "Left Room".
 */
import type { LogEntry } from "../log/entry.ts";
import { clientEvent } from "../messages/client-event.ts";
import { sightOf } from "../rooms/access.ts";
import type { RoomState } from "../rooms/state.ts";
import { type Run, timelineLimit, tokenAt } from "./run.ts";
import { membersForTimeline } from "./members.ts";
import { newestState, readStateChanges, stateAt } from "./state.ts";
import { summaryOf } from "./summary.ts";

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
  const { ask, upTo, news } = run;
  const isNew = run.isNew(room.roomId);
  const here = news.ofRoom(room.roomId);
  const ephemeral = ephemeralOf(run, room, here.receipts);
  const accountData = accountDataOf(run, room.roomId);
  const counts = isNew || here.events.length > 0 || ownReceipt(run, here.receipts);
  if (ephemeral.length === 0 && accountData.length === 0 && !counts && !ask.fullState) return undefined;
  const timeline = isNew ? await newTimeline(run, room, upTo) : newsTimeline(run, room, here);
  const sections = [
    `"timeline":${await timelineJson(run, room, timeline)}`,
    await stateSection(run, room, { timeline, isNew, end: upTo }),
  ];
  if (ephemeral.length > 0) sections.push(`"ephemeral":{"events":[${ephemeral.join(",")}]}`);
  if (accountData.length > 0) sections.push(`"account_data":{"events":[${accountData.join(",")}]}`);
  if (isNew || ask.fullState || timeline.limited || here.events.some((event) => event.type === "m.room.member"))
    sections.push(`"summary":${summaryOf(room, ask.session.userId)}`);
  if (counts) sections.push(await unreadJson(run, room));
  return `{${sections.join(",")}}`;
}

/** The JSON of a room that the person left or was banned from; what came after is not theirs to see. */
export async function leftRoom(run: Run, room: RoomState, leftAt: number): Promise<string> {
  const wasIn = run.membershipBefore.get(room.roomId) === "join";
  const news = run.news.ofRoom(room.roomId);
  const within = news.events.filter((event) => event.position <= leftAt);
  const sight = await sightOf(run.ctx, room, run.ask.session.userId);
  // Their own leaving is theirs to see, whatever else of the room is not.
  const seen = within.filter((event) => event.position === leftAt || (wasIn && sight.sees(event)));
  const timeline =
    wasIn || !run.ask.isFirst
      ? newsTimeline(run, room, { events: seen, truncated: news.truncated })
      : await newTimeline(run, room, leftAt);
  const state = await stateSection(run, room, { timeline, isNew: !wasIn && run.ask.isFirst, end: leftAt });
  const accountData = accountDataOf(run, room.roomId);
  return `{"timeline":${await timelineJson(run, room, timeline)},${state},"account_data":{"events":[${accountData.join(",")}]}}`;
}

/** The newest events of a room that the client does not know yet. */
async function newTimeline(run: Run, room: RoomState, end: number): Promise<Timeline> {
  const limit = timelineLimit(run.ask);
  const newest = (run.history.get(room.roomId) ?? []).filter((event) => event.position <= end);
  const sight = await sightOf(run.ctx, room, run.ask.session.userId);
  const wanted = newest.filter((event) => isWanted(run, event) && sight.sees(event));
  const events = limit === 0 ? [] : wanted.slice(-limit);
  const first = events[0] ?? newest.at(-1);
  const hasOlder = newest.length > limit || events.length < wanted.length;
  return { events, limited: hasOlder, start: (events[0] ? (first as LogEntry).position : end + 1) - 1 };
}

/** What happened since the client last asked. */
function newsTimeline(
  run: Run,
  _room: RoomState,
  { events, truncated }: { events: readonly LogEntry[]; truncated: boolean },
): Timeline {
  const limit = timelineLimit(run.ask);
  const wanted = events.filter((event) => isWanted(run, event));
  const limited = truncated || wanted.length > limit;
  const kept = !limited ? wanted : limit === 0 ? [] : wanted.slice(-limit);
  const start = limited ? (kept[0]?.position ?? run.upTo + 1) - 1 : run.since;
  return { events: kept, limited, start };
}

function isWanted({ ask, ignoredUsers }: Run, event: LogEntry): boolean {
  if (event.stateKey === null && ignoredUsers.has(event.userId as string)) return false;
  return ask.filter.timeline.matches?.(event) ?? true;
}

async function timelineJson(run: Run, room: RoomState, { events, limited, start }: Timeline): Promise<string> {
  const { ctx, ask } = run;
  const ownPosition = room.memberPosition(ask.session.userId);
  const isJoined = room.membership(ask.session.userId) === "join";
  const texts = events.map((event) => {
    const membership = isJoined && event.position >= ownPosition ? ("join" as const) : undefined;
    return ask.filter.project(clientEvent(event, { sessionId: ask.session.id, ...(membership ? { membership } : {}) }));
  });
  const from = events[0] ? events[0].position - 1 : start;
  return `{"events":[${texts.join(",")}],"limited":${limited},"prev_batch":"${tokenAt(ctx, from)}"}`;
}

interface StateOptions {
  timeline: Timeline;
  isNew: boolean;
  /** Where the timeline ends. */
  end: number;
}

async function stateSection(run: Run, room: RoomState, options: StateOptions): Promise<string> {
  const { ask } = run;
  const state = await stateOf(run, room, options);
  const wanted = ask.filter.state.matches ? state.filter((event) => ask.filter.state.matches?.(event)) : state;
  const members = ask.filter.state.lazyLoadMembers
    ? membersForTimeline(run, room, { ...options, state: wanted })
    : wanted;
  const texts = members.map((event) => ask.filter.project(clientEvent(event)));
  return `"${ask.stateAfter ? "state_after" : "state"}":{"events":[${texts.join(",")}]}`;
}

/** The state to tell, before lazy loading takes its part away. */
async function stateOf(run: Run, room: RoomState, { timeline, isNew, end }: StateOptions): Promise<LogEntry[]> {
  const { ctx, ask, since } = run;
  const to = ask.stateAfter ? end : timeline.start;
  if (isNew || ask.fullState) return stateAt(ctx, room, to);
  const here = run.news.ofRoom(room.roomId);
  // Whatever of the stretch the timeline does not show, because it is limited or filtered.
  if (here.truncated) return readStateChanges(ctx, room.roomId, { since, upTo: to });
  if (ask.stateAfter) return newestState(here.events);
  const shown = new Set(timeline.events);
  return newestState(here.events.filter((event) => !shown.has(event) && (event.position <= to || !timeline.limited)));
}

function ownReceipt(run: Run, receipts: readonly LogEntry[]): boolean {
  return receipts.some((receipt) => receipt.userId === run.ask.session.userId);
}

function ephemeralOf(run: Run, room: RoomState, receipts: readonly LogEntry[]): string[] {
  const { ask, ctx } = run;
  const events: string[] = [];
  const seen = receipts.filter((receipt) => receipt.type !== "m.read.private" || receipt.userId === ask.session.userId);
  if (seen.length > 0) events.push(receiptsJson(seen));
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

/** One m.receipt event for all receipts. Specification: receipts module. */
function receiptsJson(receipts: readonly LogEntry[]): string {
  const content: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const receipt of receipts) {
    const { event_id, data } = JSON.parse(receipt.body) as { event_id: string; data: unknown };
    const ofEvent = (content[event_id] ??= {});
    (ofEvent[receipt.type as string] ??= {})[receipt.userId as string] = data;
  }
  return JSON.stringify({ type: "m.receipt", content });
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
  const { main, threads } = await parts.unread.count(ask.session.userId, room);
  const json = (counts: { highlights: number; notifications: number }) =>
    `{"highlight_count":${counts.highlights},"notification_count":${counts.notifications}}`;
  if (ask.filter.unreadThreadNotifications) {
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
