/**
 * The pump hands out what is new, in rounds. A round brings everybody who is in the phase `stream` from the head of the last
 * round to the present one: what a room's members are all told alike is encoded once, each socket gets one write, and whoever
 * must be told something of their own leaves the phase and is told like a client that comes back (phases.ts).
 *
 * The first news after a quiet time go out at once; after a round the next one waits `limits.streamTick_ms`, or as long as the
 * last round took, up to `limits.streamRest_ms`, so that under load more goes out together.
 */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import type { RoomState } from "../rooms/state.ts";
import { noteDeliveries } from "../sync/deliveries.ts";
import { presenceJson } from "../sync/presence.ts";
import type { SyncParts } from "../sync/run.ts";
import { beginRound, composeFrame, type Composing } from "./compose.ts";
import type { Follower } from "./follower.ts";
import { createMarks, markEntry, type Marks } from "./marks.ts";
import { send, type Stand } from "./outlet.ts";
import type { Registry } from "./registry.ts";

export interface Pump {
  /** Everything up to here has been handed out. */
  stand(): Stand;
  /** Lets the follower, who is in these rooms, take part from now on. It must stand at the pump's stand, or further. */
  join(follower: Follower, roomIds: ReadonlySet<string>): void;
  /** Stops the rounds. */
  close(): void;
}

export interface PumpOptions {
  ctx: Context;
  parts: SyncParts;
  registry: Registry;
}

/** Opens the pump at the head of the log; it runs whenever there is something to hand out. */
export function openPump(options: PumpOptions): Pump {
  const { ctx } = options;
  const { hub } = ctx.log;
  let marks = createMarks();
  /** Events since the last round that somebody who is connected is told. */
  let heard: LogEntry[] = [];
  let stand: Stand = { position: hub.head(), ephemeral: ctx.ephemeral.clock() };
  let next_ms = 0;
  let isPlanned = false;
  let isClosed = false;

  function round(): void {
    isPlanned = false;
    if (isClosed) return;
    const begun_ms = ctx.seams.monotonic_ms();
    const from = stand;
    const [marked, told] = [marks, heard];
    marks = createMarks();
    heard = [];
    stand = { position: hub.head(), ephemeral: ctx.ephemeral.clock() };
    try {
      handOut({ ...options, round: beginRound(from, stand) }, options.registry, marked);
    } catch (thrown) {
      ctx.logger.error({ err: asError(thrown) }, "a round of the stream failed; each client is told by itself");
      for (const each of options.registry.all()) {
        reset(each);
        leave(from, each);
      }
    }
    noteDeliveries(ctx, { after: from.position, upTo: stand.position, via: "stream" }, told);
    const took_ms = ctx.seams.monotonic_ms() - begun_ms;
    ctx.metrics.streamTick_s.observe(took_ms / 1_000);
    next_ms = begun_ms + took_ms + Math.min(Math.max(limits.streamTick_ms, took_ms), limits.streamRest_ms);
  }

  function plan(): void {
    if (isPlanned || isClosed || options.registry.count() === 0) return;
    isPlanned = true;
    const wait_ms = next_ms - ctx.seams.monotonic_ms();
    if (wait_ms <= 0) queueMicrotask(round);
    else ctx.seams.after(wait_ms, round);
  }

  hub.listen((entries) => {
    if (options.registry.count() > 0)
      for (const entry of entries) {
        markEntry(marks, entry);
        if (entry.kind === "event" && isFollowed(options.registry, entry.roomId as string)) heard.push(entry);
      }
    plan();
  });
  ctx.ephemeral.listen((change) => {
    if (options.registry.count() === 0) return;
    if ("userId" in change) marks.presence.add(change.userId);
    else if (!marks.rooms.has(change.roomId)) marks.rooms.set(change.roomId, 0);
    plan();
  });

  return {
    stand: () => stand,
    join(follower, roomIds) {
      options.registry.settle(follower.session.userId, roomIds);
      follower.phase = "stream";
    },
    close: () => void (isClosed = true),
  };
}

function isFollowed(registry: Registry, roomId: string): boolean {
  return registry.inRoom(roomId)[Symbol.iterator]().next().done === false;
}

/** One round: finds whom it concerns, and tells them. */
function handOut(composing: Composing, registry: Registry, marks: Marks): void {
  const { ctx } = composing;
  const own = new Set<Follower>();
  const shared = new Set<Follower>();
  // So much came at once that it is no longer in memory.
  if (composing.round.from.position < ctx.log.tail.floor()) for (const each of registry.all()) own.add(each);
  for (const [userId, position] of marks.users)
    for (const each of registry.ofUser(userId)) if (isNews(each, position)) own.add(each);
  for (const [roomId, position] of marks.rooms) {
    const room = ctx.rooms.peek(roomId);
    for (const each of registry.inRoom(roomId))
      // A room that fell out of the cache is told to each by itself.
      if (!room || (position > 0 && isNews(each, position))) own.add(each);
      else shared.add(take(each, room));
  }
  for (const [userId, position] of marks.devices) {
    const { sure, unsure } = sharers(ctx, registry, userId);
    for (const each of [...sure, ...unsure]) if (isNews(each, position)) own.add(each);
  }
  for (const userId of marks.presence) addPresence(composing, { registry, userId, shared, own });
  for (const each of shared) if (each.phase === "stream" && !own.has(each)) tell(composing, each, own);
  for (const each of shared) reset(each);
  for (const each of own) leave(composing.round.from, each);
}

function isNews({ phase, stand }: Follower, position: number): boolean {
  return phase === "stream" && stand.position < position;
}

function take(follower: Follower, room: RoomState): Follower {
  follower.rooms.push(room);
  return follower;
}

function reset(follower: Follower): void {
  if (follower.rooms.length > 0) follower.rooms = [];
  if (follower.people.length > 0) follower.people = [];
}

/** Who is connected and shares a room with somebody. */
interface Sharers {
  sure: Set<Follower>;
  /** Neither the person's memberships nor the room of these are in memory. */
  unsure: Set<Follower>;
}

/** Everybody connected who shares a room with the person, and the person. It waits for nothing, and asks no database. */
function sharers(ctx: Context, registry: Registry, userId: string): Sharers {
  const found: Sharers = { sure: new Set(registry.ofUser(userId)), unsure: new Set() };
  const memberships = ctx.rooms.peekMemberships(userId);
  const add = (to: Set<Follower>, roomId: string) => {
    for (const each of registry.inRoom(roomId)) to.add(each);
  };
  if (memberships) {
    for (const [roomId, { membership }] of memberships) if (membership === "join") add(found.sure, roomId);
  } else
    for (const roomId of registry.rooms()) {
      const room = ctx.rooms.peek(roomId);
      if (!room) add(found.unsure, roomId);
      else if (room.membership(userId) === "join") add(found.sure, roomId);
    }
  return found;
}

interface PresenceOf {
  registry: Registry;
  userId: string;
  shared: Set<Follower>;
  own: Set<Follower>;
}

function addPresence({ ctx, round }: Composing, { registry, userId, shared, own }: PresenceOf): void {
  const presence = ctx.ephemeral.presence(userId);
  if (!presence || presence.changed <= round.from.ephemeral) return;
  const json = presenceJson(userId, presence, ctx.seams.now_ms());
  const { sure, unsure } = sharers(ctx, registry, userId);
  for (const each of sure) {
    if (each.stand.ephemeral >= presence.changed) continue;
    each.people.push(json);
    shared.add(each);
  }
  for (const each of unsure) if (!sure.has(each)) own.add(each);
}

function tell(composing: Composing, follower: Follower, own: Set<Follower>): void {
  const frame = composeFrame(composing, follower);
  if (frame === undefined) return;
  if (frame === "own") return void own.add(follower);
  composing.ctx.metrics.streamFrames.inc({ made: "shared" });
  const before = follower.stand;
  follower.stand = composing.round.to;
  const dropped = send(follower.outlet, frame, before);
  if (dropped) fallBack(composing, follower, dropped);
}

/** What was kept for the follower is gone: it is told anew, from where it stands, when its socket takes something again. */
export function fallBack({ ctx, parts }: Pick<Composing, "ctx" | "parts">, follower: Follower, to: Stand): void {
  ctx.metrics.streamResyncs.inc();
  follower.stand = to;
  follower.resync = true;
  // Members that were told in what is gone are not known to the client.
  parts.lazyMembers.delete(follower.session.id);
  depart(follower);
}

/** Back to being told by itself, from where the last round left it. */
function leave(from: Stand, follower: Follower): void {
  if (follower.phase !== "stream") return;
  const { position, ephemeral } = follower.stand;
  follower.stand = {
    position: Math.max(position, from.position),
    ephemeral: Math.max(ephemeral, from.ephemeral),
  };
  depart(follower);
}

function depart(follower: Follower): void {
  if (follower.phase === "stream") follower.phase = "backfill";
  follower.leave?.();
  follower.leave = null;
}
