/**
 * Unread counts: how many events since a person's read receipts, and since what they said, notify them by their push rules.
 * Counted when somebody asks, kept in memory, and carried on event by event; a receipt or changed rules start the count anew
 * from the log.
 * Specification: client-server-api, "Receiving notifications", and threading module, "Notifications".
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { DELIVERED, type LogEntry } from "../log/entry.ts";
import { newestOf, type Removed, removedBy } from "../log/removal.ts";
import type { Tail } from "../log/tail.ts";
import { changesRules, personRules } from "../push/person-rules.ts";
import { preparedOf, readsItsThread } from "../push/prepare.ts";
import type { CompiledRuleset } from "../push/rules/evaluate.ts";
import { type Threads, threadsOf } from "../push/threads.ts";
import type { RoomState } from "../rooms/state.ts";
import { membershipReplaced } from "./devices.ts";
import { openUnreadLookups, type Receipt, type UnreadLookups } from "./unread-lookups.ts";

export interface Counts {
  notifications: number;
  highlights: number;
}

export interface Unread {
  main: Counts;
  /** By the root of the thread. */
  threads: ReadonlyMap<string, Counts>;
}

export interface UnreadCounter {
  /** The counts of one room for one person, with everything up to the hub's head. */
  count(userId: string, room: RoomState): Promise<Unread>;
  /** The same at this moment, if all that it takes is in memory. */
  peek(userId: string, room: RoomState): Unread | undefined;
  /** Reads what `count` will need for many rooms with a handful of queries. */
  prepare(userId: string, rooms: readonly RoomState[]): Promise<void>;
}

interface Counter extends Unread {
  /** Everything up to here is counted. */
  at: number;
  threads: Map<string, Counts>;
  /** How far the person has read: the whole room, and single threads ("main" is the room outside of threads). */
  readUpTo: number;
  threadReadUpTo: Map<string, number>;
}

/** By person and room. */
type Counters = LRUCache<string, Map<string, Counter>>;

/** Opens the counter and lets it follow the log. */
export function openUnreadCounter(ctx: Context): UnreadCounter {
  const counters: Counters = new LRUCache(atMost(limits.userCache_users));
  const { hub, tail } = ctx.log;
  const lookUp = openUnreadLookups(ctx);
  const rulesets = personRules(ctx);
  const threads = threadsOf(ctx);

  hub.listen((entries) => {
    for (const entry of entries) forget(counters, entry);
  });

  async function load(userId: string, rooms: readonly RoomState[]): Promise<void> {
    const head = hub.head();
    const rules = await rulesets.get(userId);
    const found = await lookUp.receipts({ userId, roomIds: rooms.map(({ roomId }) => roomId) });
    const receipts = Map.groupBy(found, ({ roomId }) => roomId);
    const joins = await joinsOf(lookUp, userId, rooms);
    const started = new Map(
      rooms.map(({ roomId }) => [
        roomId,
        startCounter({ head, joinedAt: joins.get(roomId) as number, receipts: receipts.get(roomId) ?? [] }),
      ]),
    );
    const unread = await lookUp.unread({ userId, head, started });
    await addAll(started, unread, { userId, rules, threads, rooms });
    // What was forgotten while the database answered would be kept by what follows: those rooms are counted once more.
    const isOutdated = ({ roomId }: RoomState) =>
      tail.ofUser(userId, head).some(changesRules) ||
      tail.ofRoom(roomId, head).some((entry) => restarts(entry, userId));
    const again = rooms.filter(isOutdated);
    const mine = counters.get(userId) ?? new Map<string, Counter>();
    counters.set(userId, mine);
    for (const [roomId, counter] of started) mine.set(roomId, Object.assign(counter, { at: head }));
    if (again.length > 0) await load(userId, again);
  }

  return {
    async prepare(userId, rooms) {
      const known = counters.get(userId);
      const missing = known ? rooms.filter((room) => !known.has(room.roomId)) : rooms;
      if (missing.length > 0) await load(userId, missing);
    },
    async count(userId, room) {
      for (;;) {
        const known = counters.get(userId)?.get(room.roomId);
        if (!known || known.at < tail.floor()) await load(userId, [room]);
        const rules = await rulesets.get(userId);
        // Everything from here on happens at one moment: nothing is counted twice, and no receipt comes between.
        const counter =
          counters.get(userId)?.get(room.roomId) ??
          startCounter({ head: hub.head(), joinedAt: room.memberPosition(userId), receipts: [] });
        const counted = carryOn(counter, tail, { room, userId, rules, threads });
        if (counted) return counted;
        await threads.learn(tail.ofRoom(room.roomId, counter.at));
      }
    },
    peek(userId, room) {
      const counter = counters.get(userId)?.get(room.roomId);
      const rules = rulesets.peek(userId);
      if (!counter || !rules || counter.at < tail.floor()) return undefined;
      return carryOn(counter, tail, { room, userId, rules, threads });
    },
  };
}

/** Where the person came to each room: a change of their name since is no coming. */
async function joinsOf(
  lookUp: UnreadLookups,
  userId: string,
  rooms: readonly RoomState[],
): Promise<Map<string, number>> {
  const renamed = rooms.filter((room) => mayHaveBeenIn(room.get("m.room.member", userId)?.entry));
  const joins = new Map(rooms.map((room) => [room.roomId, room.memberPosition(userId)]));
  if (renamed.length === 0) return joins;
  const found = await lookUp.joins({ userId, roomIds: renamed.map(({ roomId }) => roomId) });
  for (const { roomId, position } of found) joins.set(roomId, position);
  return joins;
}

/** Counts what has come to the room since; undefined where it stops before an event whose thread is not known. */
function carryOn(counter: Counter, tail: Tail, member: Omit<Addition, "entry">): Unread | undefined {
  const { roomId } = member.room;
  if (tail.lastOfRoom(roomId) <= counter.at) return counter;
  for (const entry of tail.ofRoom(roomId, counter.at)) if (!add(counter, { ...member, entry })) return undefined;
  return counter;
}

/** Whether the person's count of the entry's room is no longer right with this entry. */
function restarts(entry: LogEntry, userId: string): boolean {
  if (entry.kind === "receipt") return entry.userId === userId && entry.type !== DELIVERED;
  return entry.redacts !== null || entry.kind === "removal" || (entry.stateKey === userId && isComing(entry));
}

/** Somebody comes to a room, maybe again: what they had there before is over. */
function isComing(entry: LogEntry): boolean {
  return entry.kind === "event" && entry.type === "m.room.member" && membershipReplaced(entry) !== "join";
}

function forget(counters: Counters, entry: LogEntry): void {
  if (entry.type === DELIVERED) return;
  if (entry.kind === "receipt") counters.peek(entry.userId as string)?.delete(entry.roomId as string);
  else if (entry.kind === "removal") forgetUnread(counters, entry);
  else if (entry.kind === "event" && entry.redacts !== null)
    for (const rooms of counters.values()) rooms.delete(entry.roomId as string);
  else if (isComing(entry)) counters.peek(entry.stateKey as string)?.delete(entry.roomId as string);
  else if (changesRules(entry)) counters.delete(entry.userId as string);
}

/** Retention removes what most have read, batch by batch: their counts are right as they are. */
function forgetUnread(counters: Counters, entry: LogEntry): void {
  const newest = newestOf(removedBy(entry) as Removed);
  const roomId = entry.roomId as string;
  for (const rooms of counters.values()) if ((rooms.get(roomId)?.readUpTo ?? newest) < newest) rooms.delete(roomId);
}

interface Addition {
  room: RoomState;
  userId: string;
  rules: CompiledRuleset;
  threads: Threads;
  entry: LogEntry;
}

interface Start extends Omit<Addition, "entry" | "room"> {
  rooms: readonly RoomState[];
}

/** Counts what is unread of rooms that are counted anew. */
async function addAll(started: ReadonlyMap<string, Counter>, unread: readonly LogEntry[], start: Start): Promise<void> {
  const { rooms, ...person } = start;
  const byId = new Map(rooms.map((room) => [room.roomId, room]));
  const additions = unread.map((entry) => ({ ...person, entry, room: byId.get(entry.roomId as string) as RoomState }));
  const { threads, userId, rules } = person;
  const counts = ({ entry, room }: Addition) => entry.userId === userId || rules(preparedOf(entry, room)).notify;
  const unknown = additions.filter((each) => threads.peek(each.entry) === undefined && counts(each));
  await threads.learn(unknown.map(({ entry }) => entry));
  for (const each of additions) add(started.get(each.room.roomId) as Counter, each);
}

/** Counts one more entry of a room; false where it takes the entry's thread, and that is not known. */
function add(counter: Counter, addition: Addition): boolean {
  const { entry, userId, threads } = addition;
  if (entry.kind === "event" && entry.position > counter.readUpTo) {
    const thread = threads.peek(entry);
    if (entry.userId !== userId) {
      if (!note(counter, addition, thread)) return false;
    } else if (readsItsThread(entry)) {
      if (thread === undefined) return false;
      markRead(counter, thread);
    }
  }
  counter.at = entry.position;
  return true;
}

/** Counts what somebody else said, where it notifies. */
function note(counter: Counter, { room, rules, entry }: Addition, thread: string | null | undefined): boolean {
  if (thread !== undefined && entry.position <= (counter.threadReadUpTo.get(thread ?? "main") ?? 0)) return true;
  const outcome = rules(preparedOf(entry, room));
  if (!outcome.notify) return true;
  if (thread === undefined) return false;
  const counts = thread === null ? counter.main : countsIn(counter.threads, thread);
  counts.notifications += 1;
  if (outcome.highlight) counts.highlights += 1;
  return true;
}

/** All that is counted until now of the thread, or of the room outside of threads, is read. */
function markRead(counter: Counter, thread: string | null): void {
  if (thread === null) Object.assign(counter.main, { notifications: 0, highlights: 0 });
  else counter.threads.delete(thread);
}

function countsIn(threads: Map<string, Counts>, root: string): Counts {
  let counts = threads.get(root);
  if (!counts) threads.set(root, (counts = { notifications: 0, highlights: 0 }));
  return counts;
}

/** Whether the person may have been in the room before this membership: it replaced another that was a join, or one that was redacted. */
function mayHaveBeenIn(member: LogEntry | undefined): boolean {
  if (!member || member.unsigned === null) return false;
  const replaced = membershipReplaced(member);
  return replaced === undefined || replaced === "join";
}

function startCounter({
  head,
  joinedAt,
  receipts,
}: {
  head: number;
  joinedAt: number;
  receipts: readonly Receipt[];
}): Counter {
  const whole = receipts.filter((receipt) => receipt.threadId === "").map((receipt) => receipt.position);
  const threads = new Map<string, number>();
  for (const { threadId, position } of receipts)
    if (threadId !== "") threads.set(threadId, Math.max(position, threads.get(threadId) ?? 0));
  // Nobody has unread events from before they came, also where they had been there earlier.
  const readUpTo = Math.max(joinedAt, ...whole);
  return { at: head, main: { notifications: 0, highlights: 0 }, threads: new Map(), readUpTo, threadReadUpTo: threads };
}
