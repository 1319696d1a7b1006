/**
 * One room of an answer, as JSON text of events that are encoded once for all readers. MSC4186, `RoomResult`: what is left out has
 * not changed, or, where the room is told as `initial`, is not there.
 */
import type { LogEntry } from "../../log/entry.ts";
import { aggregationsOf } from "../../messages/aggregations.ts";
import { clientEvent } from "../../messages/client-event.ts";
import { erasing } from "../../messages/erased.ts";
import { readingIn } from "../../messages/reading.ts";
import { strippedState } from "../../messages/stripped-state.ts";
import type { RoomState } from "../../rooms/state.ts";
import { tokenAt } from "../run.ts";
import { firstMembers } from "../summary.ts";
import type { Unread } from "../unread.ts";
import { isWider, type RoomNews } from "./news.ts";
import { BUMP_TYPES } from "./queries.ts";
import { asksFor, hasGrown, unionOf } from "./required-state.ts";
import { NEVER, LIVE, type SentRoom } from "./state.ts";
import { type StateView, viewFor } from "./state-view.ts";
import type { Plan, Slide } from "./slide.ts";
import { limits } from "../../limits.ts";

/** A room as the answer tells it. */
export interface ToldRoom {
  /** Undefined: there is nothing to tell. */
  json: string | undefined;
  /** What the client has with it. */
  sent: SentRoom;
  /** Told as if the client had nothing of it, or further back than before: then its receipts are told anew too. */
  isRenewed: boolean;
  timeline: readonly LogEntry[];
}

interface Timeline {
  events: readonly LogEntry[];
  limited: boolean;
  isExpanded: boolean;
}

const bumps: ReadonlySet<string> = new Set(BUMP_TYPES);

/** Tells one room. `hasRead`: the person read on in it, so that its counts are others. */
export async function tellRoom(
  slide: Slide,
  plan: Plan,
  { news, hasRead }: { news: RoomNews | undefined; hasRead: boolean },
): Promise<ToldRoom> {
  if (!news) return tellOutside(slide, plan);
  const isInitial = plan.from === undefined;
  const timeline = timelineOf(slide, plan, news);
  const view = await viewFor(slide, plan);
  const state = requiredOf(plan, news, view);
  const members = membersOf(slide, plan, { news, timeline, view });
  const isDirect = slide.belongings.direct.has(plan.roomId);
  const sections = [
    ...metadata(slide, plan, { news, view, isInitial }),
    ...stateSection([...state, ...members]),
    ...(await timelineSections(slide, plan, {
      ...timeline,
      relations: await relationsOf(slide, plan, { news, timeline }),
    })),
    ...bumpStamp(plan, timeline, isInitial),
    ...(isDirect || plan.before?.isDirect ? [`"is_dm":${isDirect}`] : []),
  ];
  const hasNews =
    isInitial ||
    timeline.isExpanded ||
    timeline.events.length > 0 ||
    timeline.limited ||
    state.length > 0 ||
    members.length > 0;
  const hasMore = hasRead || news.changes.length > 0 || isDirect !== plan.before?.isDirect;
  const isTold = hasNews || hasMore;
  if (isTold && plan.kind === "joined")
    sections.push(unreadSections(await slide.parts.unread.count(slide.ask.session.userId, plan.room)));
  return {
    json: isTold ? objectOf(plan, sections) : undefined,
    sent: sentOf(plan, { news, limited: timeline.limited, isDirect }),
    isRenewed: isInitial || timeline.isExpanded,
    timeline: timeline.events,
  };
}

function objectOf({ membership, lists }: Plan, sections: readonly string[]): string {
  const named = lists.length === 0 ? [] : [`"lists":${JSON.stringify(lists)}`];
  return `{${[...sections, `"membership":"${membership.membership}"`, ...named].join(",")}}`;
}

/** An invitation or a knock: what somebody outside may know of the room. */
function tellOutside(slide: Slide, plan: Plan): ToldRoom {
  const isDirect = slide.belongings.direct.has(plan.roomId);
  const isInitial = plan.from === undefined || plan.from < plan.membership.position;
  const stripped = `[${strippedState(plan.room, slide.ask.session.userId).join(",")}]`;
  // The first is its name in the proposal now, the second that which clients know.
  const sections = [`"initial":true`, `"stripped_state":${stripped}`, `"invite_state":${stripped}`];
  sections.push(`"bump_stamp":${plan.membership.position}`);
  if (isDirect) sections.push(`"is_dm":true`);
  const sent = { ...sentOf(plan, { news: undefined, limited: false, isDirect }), limit: 0 };
  return { json: isInitial ? objectOf(plan, sections) : undefined, sent, isRenewed: isInitial, timeline: [] };
}

function timelineOf({ ignoredUsers }: Slide, plan: Plan, news: RoomNews): Timeline {
  const { limit } = plan.config;
  const isTold = (event: LogEntry) =>
    news.sees(event) && (event.stateKey !== null || !ignoredUsers.has(event.userId as string));
  const isExpanded = isWider(plan) && hasOlder(plan, news);
  const isFromHistory = plan.from === undefined || isExpanded;
  const source = isFromHistory ? news.history : news.events;
  const wanted = source.filter(isTold);
  const events = limit === 0 ? [] : wanted.slice(-limit);
  const hasMore = isFromHistory ? source.length > limit : news.truncated || wanted.length > limit;
  return { events, limited: hasMore, isExpanded };
}

/** Whether there is anything in the history that the client has not. */
function hasOlder({ before, from }: Plan, { history }: RoomNews): boolean {
  return history.filter(({ position }) => position <= (from ?? 0)).length > (before?.limit ?? 0);
}

/** The state that is asked for, and that the client does not have: members whom `$LAZY` names come to it. */
function requiredOf(plan: Plan, { changes, sees }: RoomNews, view: StateView): LogEntry[] {
  const { state } = plan.config;
  const isWanted = (entry: LogEntry) => asksFor(state, entry.type as string, entry.stateKey as string);
  if (plan.from === undefined || !plan.before) return view.matching(state);
  const changed = changes.filter((entry) => isWanted(entry) && (plan.kind === "joined" || sees(entry)));
  const { before } = plan;
  if (!hasGrown(before.state, state)) return changed;
  const has = new Set(changed);
  const isNew = (entry: LogEntry) => !asksFor(before.state, entry.type as string, entry.stateKey as string);
  return [...changed, ...view.matching(state).filter((entry) => !has.has(entry) && isNew(entry))];
}

/** Members whom the client needs to show the timeline, and all that changed where it sees everything that happened. */
function membersOf(
  { members }: Slide,
  plan: Plan,
  { news, timeline, view }: { news: RoomNews; timeline: Timeline; view: StateView },
): LogEntry[] {
  const { state } = plan.config;
  if (!state.isLazy) return [];
  const named = new Set<string>();
  const isMember = (event: LogEntry) => event.type === "m.room.member" && event.stateKey !== null;
  for (const event of timeline.events) {
    named.add(event.userId as string);
    if (isMember(event)) named.add(event.stateKey as string);
  }
  if (plan.from !== undefined && !timeline.limited)
    for (const event of news.changes) if (isMember(event)) named.add(event.stateKey as string);
  const events = [...named].map((userId) => view.get("m.room.member", userId));
  return events.filter(
    (event) =>
      event !== undefined && !asksFor(state, "m.room.member", event.stateKey as string) && members.isNew(event),
  ) as LogEntry[];
}

function metadata(
  { ask }: Slide,
  { kind, room }: Plan,
  { news, view, isInitial }: { news: RoomNews; view: StateView; isInitial: boolean },
): string[] {
  const { userId } = ask.session;
  const changed = new Set(news.changes.map(({ type }) => type));
  const sections = isInitial ? [`"initial":true`] : [];
  const name = textIn(view, "m.room.name", "name");
  const avatar = textIn(view, "m.room.avatar", "url");
  if (isInitial ? name !== undefined : changed.has("m.room.name"))
    sections.push(`"name":${JSON.stringify(name ?? null)}`);
  if (isInitial ? avatar !== undefined : changed.has("m.room.avatar"))
    sections.push(`"avatar":${JSON.stringify(avatar ?? null)}`);
  if (kind !== "joined" || !(isInitial || changed.has("m.room.member") || changed.has("m.room.name"))) return sections;
  if (name === undefined) sections.push(...heroesJson(room, userId));
  return [...sections, `"joined_count":${room.joinedCount}`, `"invited_count":${room.invitedCount}`];
}

/** After whom clients call a room without a name. MSC4186, `StrippedHero`. */
function heroesJson(room: RoomState, userId: string): string[] {
  const heroes = firstMembers(room, userId).map((hero) => {
    const { displayname, avatar_url } = room.get("m.room.member", hero)?.content ?? {};
    return {
      user_id: hero,
      ...(typeof displayname === "string" ? { displayname } : {}),
      ...(typeof avatar_url === "string" ? { avatar_url } : {}),
    };
  });
  return heroes.length === 0 ? [] : [`"heroes":${JSON.stringify(heroes)}`];
}

function textIn(view: StateView, type: string, member: string): string | undefined {
  const entry = view.get(type, "");
  const value = entry && (JSON.parse(entry.body) as { content: Record<string, unknown> }).content[member];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function stateSection(state: readonly LogEntry[]): string[] {
  return state.length === 0 ? [] : [`"required_state":[${state.map((entry) => clientEvent(entry)).join(",")}]`];
}

/** What later events say about those of a limited timeline: the client did not see all of them come. */
async function relationsOf(
  { ctx, ask }: Slide,
  { room }: Plan,
  { news, timeline }: { news: RoomNews; timeline: Timeline },
): Promise<ReadonlyMap<string, string>> {
  const parents = timeline.limited ? timeline.events.filter((event) => news.mayBeParent(event)) : [];
  return parents.length === 0 ? new Map() : aggregationsOf(await readingIn(ctx, room, ask.session), parents);
}

async function timelineSections(
  slide: Slide,
  plan: Plan,
  { events, limited, isExpanded, relations }: Timeline & { relations: ReadonlyMap<string, string> },
): Promise<string[]> {
  if (plan.config.limit === 0) return limited ? [`"limited":true`] : [];
  const { ctx, ask, since } = slide;
  const { kind, room, end } = plan;
  const ownPosition = room.memberPosition(ask.session.userId);
  const wasIn = (event: LogEntry) => kind === "joined" && event.position >= ownPosition;
  const shown = await erasing(ctx, { room, userId: ask.session.userId }, { entries: events, wasIn });
  const texts = events.map((event) => {
    const bundled = relations.get(event.eventId as string);
    return clientEvent(shown(event), {
      sessionId: ask.session.id,
      ...(wasIn(event) ? { membership: "join" as const } : {}),
      ...(bundled ? { relations: bundled } : {}),
    });
  });
  const live = since === undefined ? 0 : events.filter(({ position }) => position > since).length;
  const start = events[0] ? events[0].position - 1 : end;
  return [
    ...(texts.length === 0 ? [] : [`"timeline":[${texts.join(",")}]`]),
    `"limited":${limited},"num_live":${live},"prev_batch":"${tokenAt(ctx, start)}"`,
    ...(isExpanded ? [`"unstable_expanded_timeline":true,"expanded_timeline":true`] : []),
  ];
}

/** Told where it may have changed. Of a room that the person is not in it is when that came to be. */
function bumpStamp(
  { kind, membership, outline, config }: Plan,
  { events, limited }: Timeline,
  isInitial: boolean,
): string[] {
  if (kind !== "joined") return [`"bump_stamp":${membership.position}`];
  const bump = events.findLast((event) => bumps.has(event.type as string))?.position;
  const mayHave = isInitial || limited || config.limit === 0;
  const stamp = bump ?? (mayHave ? outline?.bump || membership.position : undefined);
  return stamp === undefined ? [] : [`"bump_stamp":${stamp}`];
}

/** Those of the room itself; of its threads each by itself, as in /sync. */
function unreadSections({ main, threads }: Unread): string {
  const counts = ({ notifications, highlights }: Unread["main"]) =>
    `"notification_count":${notifications},"highlight_count":${highlights}`;
  if (threads.size === 0) return counts(main);
  const perThread = [...threads].map(([root, each]) => `${JSON.stringify(root)}:{${counts(each)}}`);
  return `${counts(main)},"unread_thread_notifications":{${perThread.join(",")}}`;
}

/**
 * What the client has now. That it was once told more than is wanted at present still counts, as long as nothing of it was passed over:
 * a room that goes out of the screen and comes back is not told twice.
 */
function sentOf(
  { before, from, config, kind }: Plan,
  { news, limited, isDirect }: { news: RoomNews | undefined; limited: boolean; isDirect: boolean },
): SentRoom {
  const others = { accountData: before?.accountData ?? NEVER, receipts: before?.receipts ?? NEVER };
  const plain = { events: LIVE, limit: config.limit, state: config.state, isDirect, ...others };
  if (!before || from === undefined || !news || kind === "left") return plain;
  const missed = news.changes.some(({ type, stateKey }) => {
    const names = [type as string, stateKey as string] as const;
    return asksFor(before.state, ...names) && !asksFor(config.state, ...names);
  });
  const both = missed ? config.state : unionOf(before.state, config.state);
  return {
    ...plain,
    limit: limited ? config.limit : Math.max(before.limit, config.limit),
    state: both.pairs.length > limits.slidingState_elements ? config.state : both,
  };
}
