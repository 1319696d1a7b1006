/**
 * GET /sync. An answer covers a stretch of the log: above the client's token, up to the head of this process. It is built, and
 * where there is nothing to tell, the request waits for news and looks again. Every wait ends in an answer with a token.
 *
 * Specification: client-server-api, "Syncing".
 */
import { ignoredUsersOf } from "../account/ignored-users.ts";
import { endedSessions } from "../auth/sessions.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { formatToken } from "../log/token.ts";
import { strippedEvent } from "../messages/client-event.ts";
import type { RoomState } from "../rooms/state.ts";
import { globalAccountData } from "./account-data.ts";
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
  await catchUp(ctx, ask.since);
  acknowledge(ctx, parts, { session: ask.session, since: ask.since });
  if (ask.isFirst) parts.lazyMembers.delete(ask.session.id);
  const deadline_ms = ctx.seams.monotonic_ms() + ask.timeout_ms;
  let since = ask.since;
  for (;;) {
    // Taken before the answer is built: what comes meanwhile is then looked at, not slept through.
    const seen = ctx.ephemeral.clock();
    const answer = await build(ctx, parts, { ask, since });
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    if (answer.hasNews || ask.isFirst || ask.fullState || left_ms <= 0 || ctx.stopping.aborted)
      return answer.json(seen);
    since = answer.upTo;
    if (ctx.log.hub.head() > since || ctx.ephemeral.clock() > seen) continue;
    ctx.metrics.syncWaiting.inc();
    await parts.waiters.wait(ask.session.userId, { timeout_ms: left_ms, signal: signal() });
    ctx.metrics.syncWaiting.dec();
    if (signal().aborted) return answer.json(seen);
  }
}

/** A client may come with a token from another process that is a little ahead of this one. */
async function catchUp(ctx: Context, since: number): Promise<void> {
  if (since <= ctx.log.hub.head()) return;
  const late = new AbortController();
  const timer = ctx.seams.after(limits.syncCatchUp_ms, () =>
    late.abort(matrixError("M_INVALID_PARAM", `"since" is ahead of the log. Leave it out to start over.`)),
  );
  await ctx.log.hub.reached(since, late.signal).finally(() => timer.cancel());
}

interface Built {
  upTo: number;
  hasNews: boolean;
  json(seen: number): string;
}

async function build(ctx: Context, parts: SyncParts, { ask, since }: { ask: Ask; since: number }): Promise<Built> {
  const run = await prepareRun(ctx, parts, { ask, since });
  refuseEnded(run);
  const messages = toDeviceMessages(run.news.own, ask.session.deviceId);
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
    json: (seen) =>
      `{"next_batch":"${formatToken({ epoch: ctx.log.epoch, position: run.upTo, ephemeral: seen })}",${[...sections, counts].join(",")}}`,
  };
}

/** G8: a session that ended while it waited learns nothing more. */
function refuseEnded({ news, ask }: Run): void {
  const isOver = news.own.some((entry) => entry.type === "ended" && endedSessions(entry).includes(ask.session.id));
  if (isOver) throw matrixError("M_UNKNOWN_TOKEN", "This session was ended. Sign in again.");
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
  const { userId, deviceId } = ask.session;
  const memberships = ctx.rooms.peekMemberships(userId) ?? (await ctx.rooms.memberships(userId));
  const wanted = [...memberships].filter(([roomId]) => ask.filter.wantsRoom(roomId));
  const joinedIds = wanted.filter(([, { membership }]) => membership === "join").map(([roomId]) => roomId);
  const joined = await loadRooms(ctx, joinedIds);
  const upTo = ctx.log.hub.head();
  const changedIds = wanted.filter(([, { position }]) => position > since).map(([roomId]) => roomId);
  const roomIds = [...joinedIds, ...changedIds.filter((roomId) => !joined.has(roomId))];
  const options = { userId, deviceId, isFirst: ask.isFirst, roomIds, events: timelineLimit(ask) };
  const [news, end] = await gatherWhole(ctx, { since, upTo }, options);
  const membershipBefore = ask.isFirst
    ? new Map<string, string>()
    : await membershipsAt(ctx, userId, { roomIds: changedIds, at: since });
  const changed = new Set(changedIds);
  const isNew = (roomId: string) => ask.isFirst || (changed.has(roomId) && membershipBefore.get(roomId) !== "join");
  const newRooms = roomIds.filter(isNew);
  const history = Map.groupBy(
    await readRoomEvents(ctx, { since: 0, upTo: end }, { roomIds: newRooms, limit: options.events + 1 }),
    (event) => event.roomId as string,
  );
  const ignoredUsers = await ignoredUsersOf(ctx, userId);
  const unreadRooms = [...joined.values()].filter((room) => isNew(room.roomId));
  if (unreadRooms.length > 0) await parts.unread.prepare(userId, unreadRooms);
  return {
    ctx,
    parts,
    ask,
    since,
    upTo: end,
    memberships,
    joined,
    isNew,
    membershipBefore,
    news,
    history,
    ignoredUsers,
  };
}

/** Gathers the news, and ends the stretch earlier where it has more to-device messages than one answer takes. */
async function gatherWhole(
  ctx: Context,
  stretch: { since: number; upTo: number },
  options: Parameters<typeof gather>[2],
): Promise<[News, number]> {
  const news = await gather(ctx, stretch, options);
  const last = toDeviceMessages(news.own, options.deviceId)[limits.toDevicePerSync_messages - 1];
  const isCut =
    last !== undefined && toDeviceMessages(news.own, options.deviceId).length > limits.toDevicePerSync_messages;
  if (!isCut) return [news, stretch.upTo];
  return [await gather(ctx, { since: stretch.since, upTo: last.position }, options), last.position];
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
  for (const [roomId, { membership, position }] of otherMemberships(run)) {
    const room = await run.ctx.rooms.find(roomId);
    if (!room) continue;
    if (membership === "leave" || membership === "ban") {
      if (!run.ask.isFirst) left.push(room);
      json.leave.push(`${JSON.stringify(roomId)}:${await leftRoom(run, room, position)}`);
    } else if (!isFromIgnored(run, room)) {
      const kind = membership === "invite" ? "invite" : "knock";
      json[kind].push(`${JSON.stringify(roomId)}:{"${kind}_state":{"events":[${strippedState(run, room).join(",")}]}}`);
    }
  }
  return { json, left };
}

function otherMemberships({
  ask,
  since,
  upTo,
  memberships,
}: Run): [string, { membership: string; position: number }][] {
  return [...memberships].filter(([roomId, { membership, position }]) => {
    if (membership === "join" || position <= since || position > upTo || !ask.filter.wantsRoom(roomId)) return false;
    const isGone = membership === "leave" || membership === "ban";
    return !isGone || !ask.isFirst || ask.filter.includeLeave;
  });
}

function isFromIgnored({ ask, ignoredUsers }: Run, room: RoomState): boolean {
  const own = room.get("m.room.member", ask.session.userId);
  return own !== undefined && own.sender !== ask.session.userId && ignoredUsers.has(own.sender);
}

const STRIPPED_TYPES = [
  "m.room.create",
  "m.room.name",
  "m.room.avatar",
  "m.room.topic",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.encryption",
];

/** What somebody outside the room may know of it. Specification: "Stripped state". */
function strippedState({ ask }: Run, room: RoomState): string[] {
  const own = room.get("m.room.member", ask.session.userId);
  const inviter = own && room.get("m.room.member", own.sender);
  const events = [...STRIPPED_TYPES.map((type) => room.get(type)), inviter === own ? undefined : inviter, own];
  return events.filter((event) => event !== undefined).map((event) => strippedEvent(event.entry));
}
