/**
 * GET /sync. An answer covers a stretch of the log: above the client's token, up to the head of this process. It is built, and
 * where there is nothing to tell, the request waits for news and looks again. Every wait ends in an answer with a token.
 *
 * Specification: client-server-api, "Syncing".
 */
import { ignoredUsersOf } from "../account/ignored-users.ts";
import { endingOf } from "../auth/sessions.ts";
import type { Context } from "../context.ts";
import { type MatrixError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { readHead } from "../log/queries.ts";
import { formatToken, type Token } from "../log/token.ts";
import { parentsAmong } from "../messages/aggregations.ts";
import { strippedState } from "../messages/stripped-state.ts";
import type { Memberships, UserMembership } from "../rooms/cache.ts";
import { blocksInvites } from "../rooms/invite.ts";
import type { RoomState } from "../rooms/state.ts";
import { globalAccountData } from "./account-data.ts";
import { noteDeliveries } from "./deliveries.ts";
import { acknowledge, deviceLists, toDeviceMessages } from "./devices.ts";
import { gather, type News, readRoomEvents } from "./gather.ts";
import { presenceEvents } from "./presence.ts";
import { isQuiet, joinedRoom, leftRoom } from "./room.ts";
import { type Ask, type Run, type SyncParts, timelineLimit } from "./run.ts";
import { membershipsAt } from "./state.ts";

/** Answers a sync with JSON text, after at most the time that the client allows. */
export async function sync(
  ctx: Context,
  parts: SyncParts,
  { ask, signal }: { ask: Ask; signal: () => AbortSignal },
): Promise<string> {
  acknowledge(ctx, parts, { session: ask.session, since: ask.since });
  if (ask.isFirst) parts.lazyMembers.delete(ask.session.id);
  return follow(ctx, parts, { ask, signal });
}

/** The first answer with news, or the last one without when the time is over. Nothing is acknowledged by it. */
export async function follow(
  ctx: Context,
  parts: SyncParts,
  { ask, signal }: { ask: Ask; signal: () => AbortSignal },
): Promise<string> {
  const deadline_ms = ctx.seams.monotonic_ms() + ask.timeout_ms;
  let since = ask.since;
  let hasWaited = false;
  for (;;) {
    // Taken before the answer is built: what comes meanwhile is then looked at, not slept through.
    const seen = ctx.ephemeral.clock();
    const answer = await build(ctx, parts, { ask, since });
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    if (answer.hasNews || ask.isFirst || ask.fullState || left_ms <= 0 || ctx.stopping.aborted) {
      // Who comes back after a while is told what is old, and says nothing of how fast news travel.
      if (hasWaited && answer.hasNews)
        noteDeliveries(ctx, { after: since, upTo: answer.upTo, via: "sync" }, answer.events());
      return answer.json(seen);
    }
    since = answer.upTo;
    if (ctx.log.hub.head() > since || ctx.ephemeral.clock() > seen) continue;
    ctx.metrics.syncWaiting.inc();
    await parts.waiters.wait(ask.session.userId, { timeout_ms: left_ms, signal: signal() });
    ctx.metrics.syncWaiting.dec();
    hasWaited = true;
    if (signal().aborted) return answer.json(seen);
  }
}

/**
 * Where the client stands, once this process has come as far; undefined where it must start over: of another history, from before a
 * restore or lost in a fail-over, what it knows may never have happened. Throws what `catchUp` throws.
 */
export async function standOf(ctx: Context, token: Token): Promise<Token | undefined> {
  if (!(await ctx.log.holdsNow(token))) return undefined;
  await catchUp(ctx, token.position);
  // The history may have ended below the token while this process waited for it: then it has come there on another one.
  return ctx.log.holds(token) ? token : undefined;
}

/**
 * A client may come with a token from another process that is a little ahead of this one. Throws IO_PARLEY_UNAVAILABLE where this
 * one is far behind, and M_INVALID_PARAM where the log does not go as far.
 */
export async function catchUp(ctx: Context, since: number): Promise<void> {
  if (since <= ctx.log.hub.head()) return;
  const late = new AbortController();
  const timer = ctx.seams.after(limits.syncCatchUp_ms, () => late.abort());
  try {
    await ctx.log.hub.reached(since, late.signal);
  } catch (thrown) {
    throw late.signal.aborted ? await whyLate(ctx, since) : thrown;
  } finally {
    timer.cancel();
  }
}

async function whyLate(ctx: Context, since: number): Promise<MatrixError> {
  const { position } = await readHead(ctx.db.log);
  if (position < since)
    return matrixError("M_INVALID_PARAM", `"since" is ahead of the log. Leave it out to start over.`);
  return matrixError("IO_PARLEY_UNAVAILABLE", "This part of the server is behind. Try again in a few seconds.", {
    retryAfter_ms: 2_000,
  });
}

export interface Built {
  /** The answer tells everything up to here. */
  upTo: number;
  hasNews: boolean;
  /** What was said in the person's rooms, as far as the answer tells it. */
  events(): LogEntry[];
  /** The answer; `seen` is how much of typing and presence the client has with it. */
  json(seen: number): string;
}

/** The answer for the stretch above `since`: what a request gets, and what a stream pushes. Throws M_UNKNOWN_TOKEN. */
export async function build(
  ctx: Context,
  parts: SyncParts,
  { ask, since }: { ask: Ask; since: number },
): Promise<Built> {
  const run = await prepareRun(ctx, parts, { ask, since });
  refuseEnded(ctx, run);
  const messages = toDeviceMessages(run.news.own, parts, ask.session);
  const rooms = await buildRooms(run);
  const sections = [
    rooms.json,
    section("account_data", globalAccountData(run)),
    section("presence", presenceEvents(run)),
    section(
      "to_device",
      messages.map((message) => message.body),
    ),
    devicesSection(run, rooms.left),
  ].filter((text) => text !== "");
  if (messages.length > 0) parts.handedOut.set(ask.session.id, (messages.at(-1) as LogEntry).position);
  const countsChanged = run.news.own.some(
    (entry) => entry.type === "one_time_keys" && entry.deviceId === ask.session.deviceId,
  );
  const counts = await parts.keyCounts.of(ask.session.userId, ask.session.deviceId);
  return {
    upTo: run.upTo,
    hasNews: sections.length > 0 || countsChanged,
    events: () => [...run.joined.keys()].flatMap((roomId) => run.news.ofRoom(roomId).events),
    json: (seen) =>
      `{"next_batch":"${formatToken({ epoch: ctx.log.epoch, position: run.upTo, ephemeral: seen })}",${[...sections, counts].join(",")}}`,
  };
}

/** G8: a session that ended while it waited learns nothing more. */
function refuseEnded(ctx: Context, { news, ask }: Run): void {
  for (const entry of news.own) {
    const ending = endingOf(entry, ask.session, ctx.log);
    if (ending) throw ending;
  }
}

function section(name: string, events: readonly string[]): string {
  return events.length === 0 ? "" : `"${name}":{"events":[${events.join(",")}]}`;
}

function devicesSection(run: Run, left: readonly RoomState[]): string {
  const lists = deviceLists(run, left);
  return lists === undefined ? "" : `"device_lists":${lists}`;
}

/** Brings everything that the answer needs into memory. */
async function prepareRun(ctx: Context, parts: SyncParts, { ask, since }: { ask: Ask; since: number }): Promise<Run> {
  const { userId } = ask.session;
  const { scene, news } = await gatherScene(ctx, parts, { ask, since });
  const { memberships, joined, upTo } = scene;
  const rooms = roomsOf(scene, since);
  const changed = new Set([...rooms.keys()].filter((roomId) => (memberships.get(roomId)?.position ?? 0) > since));
  const before = ask.isFirst
    ? new Map<string, UserMembership>()
    : await membershipsAt(ctx, userId, { roomIds: [...changed], at: since });
  const isNew = (roomId: string) => ask.isFirst || (changed.has(roomId) && before.get(roomId)?.membership !== "join");
  const history = await readRoomEvents(ctx, {
    since: 0,
    rooms: new Map([...rooms].filter(([roomId]) => isNew(roomId))),
    limit: timelineLimit(ask) + 1,
  });
  const unreadRooms = [...joined.values()].filter((room) => isNew(room.roomId));
  if (unreadRooms.length > 0) await parts.unread.prepare(userId, unreadRooms);
  return {
    ctx,
    parts,
    ask,
    since,
    upTo,
    memberships,
    joined,
    isNew,
    membershipBefore: before,
    news,
    history: Map.groupBy(history, (event) => event.roomId as string),
    parents: await parentsAmong(ctx, history),
    ignoredUsers: await ignoredUsersOf(ctx, userId),
  };
}

/** Where the person stands at one moment of the log. */
interface Scene {
  upTo: number;
  /** Their memberships at `upTo`, of the rooms that the filter lets through. */
  memberships: Memberships;
  /** The rooms that they are in at `upTo`. */
  joined: ReadonlyMap<string, RoomState>;
}

/** The rooms whose news are the person's, each with the position at which they end: where they left, that of their leaving. */
function roomsOf({ memberships, upTo }: Scene, since: number): Map<string, number> {
  const rooms = new Map<string, number>();
  for (const [roomId, { membership, position }] of memberships)
    if (membership === "join") rooms.set(roomId, upTo);
    else if ((membership === "leave" || membership === "ban") && position > since) rooms.set(roomId, position);
  return rooms;
}

/** Gathers the news, and ends the stretch earlier where it has more to-device messages than one answer takes. */
async function gatherScene(
  ctx: Context,
  parts: SyncParts,
  { ask, since }: { ask: Ask; since: number },
): Promise<{ scene: Scene; news: News }> {
  const { userId, deviceId } = ask.session;
  const gatherAt = (scene: Scene) =>
    gather(
      ctx,
      { since, upTo: scene.upTo },
      { userId, deviceId, isFirst: ask.isFirst, rooms: roomsOf(scene, since), events: timelineLimit(ask) },
    );
  const scene = await presentScene(ctx, ask);
  const news = await gatherAt(scene);
  const messages = toDeviceMessages(news.own, parts, ask.session);
  const last = messages[limits.toDevicePerSync_messages - 1];
  if (last === undefined || messages.length <= limits.toDevicePerSync_messages) return { scene, news };
  const earlier = await earlierScene(ctx, { userId, scene, at: last.position });
  return { scene: earlier, news: await gatherAt(earlier) };
}

/** The scene at the head. The head and the memberships are taken at one moment; a room may go on while others are loaded. */
async function presentScene(ctx: Context, { session, filter }: Ask): Promise<Scene> {
  const all = ctx.rooms.peekMemberships(session.userId) ?? (await ctx.rooms.memberships(session.userId));
  const memberships = new Map([...all].filter(([roomId]) => filter.wantsRoom(roomId)));
  const upTo = ctx.log.hub.head();
  return { upTo, memberships, joined: await loadRooms(ctx, joinedIds(memberships)) };
}

/** The scene as it was at `at`, before the one that is given. */
async function earlierScene(
  ctx: Context,
  { userId, scene, at }: { userId: string; scene: Scene; at: number },
): Promise<Scene> {
  const isLater = (position: number) => position > at;
  const later = [...scene.memberships].filter(([, { position }]) => isLater(position)).map(([roomId]) => roomId);
  const memberships = new Map([...scene.memberships].filter(([, { position }]) => !isLater(position)));
  for (const [roomId, membership] of await membershipsAt(ctx, userId, { roomIds: later, at }))
    memberships.set(roomId, membership);
  return { upTo: at, memberships, joined: await loadRooms(ctx, joinedIds(memberships)) };
}

function joinedIds(memberships: Memberships): string[] {
  return [...memberships].filter(([, { membership }]) => membership === "join").map(([roomId]) => roomId);
}

async function loadRooms(ctx: Context, roomIds: readonly string[]): Promise<Map<string, RoomState>> {
  const rooms = new Map<string, RoomState>();
  const missing: string[] = [];
  for (const roomId of roomIds) {
    const room = ctx.rooms.peek(roomId);
    if (room) rooms.set(roomId, room);
    else missing.push(roomId);
  }
  for (const room of await Promise.all(missing.map((roomId) => ctx.rooms.load(roomId)))) rooms.set(room.roomId, room);
  return rooms;
}

interface BuiltRooms {
  /** The `rooms` member, or nothing. */
  json: string;
  /** Rooms that the person left in the stretch. */
  left: RoomState[];
}

async function buildRooms(run: Run): Promise<BuiltRooms> {
  const join: string[] = [];
  for (const room of run.joined.values()) {
    if (isQuiet(run, room)) continue;
    const json = await joinedRoom(run, room);
    if (json !== undefined) join.push(`${JSON.stringify(room.roomId)}:${json}`);
  }
  const others = await buildOtherRooms(run);
  const parts = Object.entries({ join, ...others.json })
    .filter(([, rooms]) => rooms.length > 0)
    .map(([name, rooms]) => `"${name}":{${rooms.join(",")}}`);
  return { json: parts.length === 0 ? "" : `"rooms":{${parts.join(",")}}`, left: others.left };
}

/** Rooms that the person is invited to, has knocked on, or has left. */
async function buildOtherRooms(
  run: Run,
): Promise<{ json: { invite: string[]; knock: string[]; leave: string[] }; left: RoomState[] }> {
  const json = { invite: [] as string[], knock: [] as string[], leave: [] as string[] };
  const left: RoomState[] = [];
  let blocking: Promise<boolean> | undefined;
  // Asked when there is an invitation, and then once.
  const blocks = () => (blocking ??= blocksInvites(run.ctx, run.ask.session.userId));
  for (const [roomId, { membership, position }] of otherMemberships(run)) {
    const room = await run.ctx.rooms.find(roomId);
    if (!room) continue;
    if (membership === "leave" || membership === "ban") {
      if (run.membershipBefore.get(roomId)?.membership === "join") left.push(room);
      json.leave.push(`${JSON.stringify(roomId)}:${await leftRoom(run, room, position)}`);
    } else if (!isFromIgnored(run, room) && !(membership === "invite" && (await blocks()))) {
      const kind = membership === "invite" ? "invite" : "knock";
      json[kind].push(
        `${JSON.stringify(roomId)}:{"${kind}_state":{"events":[${strippedState(room, run.ask.session.userId).join(",")}]}}`,
      );
    }
  }
  return { json, left };
}

/**
 * A first sync has the rooms that the person left when it asks for them, or may think that they are in, and those that they are
 * banned from in any case.
 */
function otherMemberships({ ask, since, memberships }: Run): [string, UserMembership][] {
  return [...memberships].filter(([, { membership, position }]) => {
    if (membership === "join" || position <= since) return false;
    return membership !== "leave" || !ask.isFirst || ask.startsOver || ask.filter.includeLeave;
  });
}

function isFromIgnored({ ask, ignoredUsers }: Run, room: RoomState): boolean {
  const own = room.get("m.room.member", ask.session.userId);
  return own !== undefined && own.sender !== ask.session.userId && ignoredUsers.has(own.sender);
}
