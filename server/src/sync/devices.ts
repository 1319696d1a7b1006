/**
 * What end-to-end encryption needs of a sync: to-device messages, whose device lists changed, and how many one-time keys are
 * left. Specification: client-server-api, "Send-to-Device messaging" and "Extensions to /sync" of end-to-end encryption.
 */
import { LRUCache } from "lru-cache";
import { openBatches } from "../batches.ts";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { readManyKeyCounts } from "../keys/counts.ts";
import { isAboutKeys, tellsOfKeys } from "../keys/device-lists.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { type Arrived, deleteArrived } from "../log/for-devices.ts";
import { openLookup } from "../lookups.ts";
import { deliveriesOf } from "../presence/receipts-delivered.ts";
import type { RoomState } from "../rooms/state.ts";
import type { Run, SyncParts } from "./run.ts";

/** The JSON of a device's key counts, as members of the sync's answer. */
export interface KeyCounts {
  of(userId: string, deviceId: string): Promise<string>;
  /** The same, if it is in memory. */
  peek(userId: string, deviceId: string): string | undefined;
}

/** What the keys domain says in a session entry of type one_time_keys, and gives as readKeyCounts. */
export interface CountsBody {
  device_one_time_keys_count: Record<string, number>;
  device_unused_fallback_key_types: string[];
}

/** Keeps the counts in memory; every change of them is an entry of the log. */
export function openKeyCounts(ctx: Context): KeyCounts {
  const known = new LRUCache<string, string>(atMost(limits.sessionCache_sessions));
  const look = openLookup({
    most: limits.lookup_keys,
    ask: (devices: readonly { userId: string; deviceId: string }[]) => readManyKeyCounts(ctx, devices),
  });
  ctx.log.hub.listen((entries) => {
    for (const entry of entries)
      if (entry.kind === "session" && entry.type === "one_time_keys")
        known.set(`${entry.userId} ${entry.deviceId}`, countsJson(JSON.parse(entry.body) as CountsBody));
  });
  return {
    peek: (userId, deviceId) => known.get(`${userId} ${deviceId}`),
    async of(userId, deviceId) {
      const name = `${userId} ${deviceId}`;
      const json = known.get(name);
      if (json !== undefined) return json;
      const head = ctx.log.hub.head();
      const read = countsJson(await look({ userId, deviceId }));
      // Keys may have been claimed while the database answered; then what the log said counts.
      if (ctx.log.tail.ofUser(userId, head).every((entry) => entry.type !== "one_time_keys")) known.set(name, read);
      return known.get(name) ?? read;
    },
  };
}

function countsJson({ device_one_time_keys_count, device_unused_fallback_key_types }: CountsBody): string {
  const counts = { signed_curve25519: 0, ...device_one_time_keys_count };
  return `"device_one_time_keys_count":${JSON.stringify(counts)},"device_unused_fallback_key_types":${JSON.stringify(device_unused_fallback_key_types)}`;
}

/** The device's to-device messages among its news, oldest first. What it once acknowledged it is not given again, whatever it asks from. */
export function toDeviceMessages(
  own: readonly LogEntry[],
  parts: SyncParts,
  { id, deviceId }: { id: number; deviceId: string },
): LogEntry[] {
  const arrived = parts.arrived.get(id) ?? 0;
  return own.filter((entry) => entry.kind === "to_device" && entry.deviceId === deviceId && entry.position > arrived);
}

/**
 * The client's token says what it has. To-device messages are deleted with that, and stay until then. What another process handed
 * out is deleted at the session's first sync here.
 */
export function acknowledge(
  ctx: Context,
  parts: SyncParts,
  { session, since }: { session: { id: number; userId: string; deviceId: string }; since: number },
): void {
  deliveriesOf(ctx).note(session, since);
  deleteMessages(ctx, parts, { session, since });
}

/** The client has its to-device messages up to `since`. */
export function deleteMessages(
  ctx: Context,
  parts: SyncParts,
  { session, since }: { session: { id: number; userId: string; deviceId: string }; since: number },
): void {
  const handedOut = parts.handedOut.get(session.id);
  if (since === 0 || (handedOut !== undefined && (handedOut === 0 || handedOut > since))) return;
  parts.handedOut.set(session.id, 0);
  parts.arrived.set(session.id, Math.max(since, parts.arrived.get(session.id) ?? 0));
  const arrived = { userId: session.userId, deviceId: session.deviceId, upTo: since, epoch: ctx.log.epoch };
  parts.deleteArrived(arrived).catch((thrown: unknown) => {
    parts.handedOut.delete(session.id);
    ctx.logger.warn(
      { err: asError(thrown) },
      "acknowledged to-device messages were not deleted; the next sync tries again",
    );
  });
}

/** What a device has acknowledged. */
/** Deletes the messages that devices have, of many devices together. */
export function openDeletions(ctx: Context): (arrived: Arrived) => Promise<void> {
  const batches = openBatches<Arrived>(limits.lookup_keys, (some) => deleteArrived(ctx.db.log, some));
  return batches.add;
}

/**
 * Whose devices the client must look at anew, and whose it may forget. The JSON of `device_lists`, or undefined for none: a client
 * that starts from nothing knows nobody's. One that starts over may know keys that are not there any more, and not those that are.
 */
export function deviceLists(run: Run, leftRooms: readonly RoomState[]): string | undefined {
  const { isFirst, startsOver, session } = run.ask;
  if (isFirst && !startsOver) return undefined;
  const { userId } = session;
  const found: Found = { changed: new Set(), maybeLeft: new Set() };
  const { changed, maybeLeft } = found;
  if (startsOver) changed.add(userId);
  const rooms = [...run.joined.values()].filter(isAboutKeys);
  const shares = (other: string) => rooms.some((room) => room.membership(other) === "join");
  for (const entry of run.news.deviceLists) {
    const whose = entry.userId;
    if (whose !== null && tellsOfKeys(entry, userId) && (whose === userId || shares(whose))) changed.add(whose);
  }
  for (const room of rooms) noteMembersIn(run, room, found);
  for (const room of leftRooms) if (isAboutKeys(room)) for (const other of room.joined()) maybeLeft.add(other);
  changed.delete("");
  const left = [...maybeLeft].filter((other) => other !== userId && !shares(other));
  if (changed.size === 0 && left.length === 0) return undefined;
  return JSON.stringify({ changed: [...changed], left });
}

function noteMembersIn(run: Run, room: RoomState, found: Found): void {
  const { userId } = run.ask.session;
  const { events, truncated } = run.news.ofRoom(room.roomId);
  noteMembers(room, { userId, events, isNew: truncated || run.isNew(room.roomId) }, found);
  // Not everything was gathered.
  if (!truncated) return;
  for (const [other, membership] of room.memberships()) if (membership !== "join") found.maybeLeft.add(other);
}

/** Whose keys the client must look at. */
export interface Found {
  changed: Set<string>;
  /** They left a room, and may be in no other. */
  maybeLeft: Set<string>;
}

interface MemberNews {
  userId: string;
  events: readonly LogEntry[];
  /** The client does not know who is in the room. */
  isNew: boolean;
}

/** Who came to a room, or left it; of one that is new to the person, or newly encrypted, everybody. */
export function noteMembers(
  room: RoomState,
  { userId, events, isNew }: MemberNews,
  { changed, maybeLeft }: Found,
): void {
  const isWhole = isNew || events.some(({ type, stateKey }) => type === "m.room.encryption" && stateKey === "");
  if (isWhole) for (const other of room.joined()) if (other !== userId) changed.add(other);
  for (const event of events) {
    const other = event.stateKey;
    if (event.type !== "m.room.member" || other === null || other === userId) continue;
    const isJoined = room.membership(other) === "join";
    const wasJoined = membershipReplaced(event) === "join";
    if (isJoined && !wasJoined) changed.add(other);
    if (!isJoined && wasJoined) maybeLeft.add(other);
  }
}

/** The membership that this one replaced, as far as its event still says. */
export function membershipReplaced({ unsigned }: LogEntry): unknown {
  if (unsigned === null) return undefined;
  return (JSON.parse(unsigned) as { prev_content?: { membership?: unknown } }).prev_content?.membership;
}
