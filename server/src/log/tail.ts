/**
 * The newest part of the log, in memory: what an incremental sync reads instead of the database. Bounded by entries and by
 * bytes; the oldest go first.
 */
import { limits } from "../limits.ts";
import { type LogEntry, withoutReplaced } from "./entry.ts";
import { isRemoved, type Removed, removedBy } from "./removal.ts";

export interface Tail {
  /** Everything above this position is here; a reader that stands below must ask the database. */
  floor(): number;
  /** Takes the next entries, which follow the last one without a gap. */
  push(entries: readonly LogEntry[]): void;
  /** The room's entries (events, receipts, and what says that some were removed) above `after`, oldest first. */
  ofRoom(roomId: string, after: number): LogEntry[];
  /** What concerns one person alone (account data, to-device messages, sessions) above `after`, oldest first. */
  ofUser(userId: string, after: number): LogEntry[];
  /** Whose device lists changed above `after`. */
  deviceLists(after: number): LogEntry[];
  /** The position of the room's newest entry in the tail, or 0. */
  lastOfRoom(roomId: string): number;
  /** Those of the rooms that have an entry above `after`. */
  movedAmong(roomIds: ReadonlyMap<string, unknown>, after: number): Set<string>;
  event(eventId: string): LogEntry | undefined;
  size(): { entries: number; bytes: number };
}

/** Memory that an entry takes beside the text of its body; strings of one byte a character. */
const ENTRY_OVERHEAD_BYTES = 500;

/** A list that grows at its end and shrinks at its start, without copying on every step. */
interface Lane {
  entries: LogEntry[];
  start: number;
}

/** An empty tail that begins behind `floor`. */
export function createTail(
  floor: number,
  bound: { entries: number; bytes: number } = { entries: limits.tail_entries, bytes: limits.tail_bytes },
): Tail {
  const lists = emptyLists();
  const { all, rooms, users, devices, events } = lists;
  let bytes = 0;
  let low = floor;

  function dropOldest(): void {
    const entry = unlist(lists);
    low = entry.position;
    bytes -= weigh(entry);
  }

  /** The text of a redacted event must be gone from memory as it is from the table. */
  function redact({ redacts, roomId }: LogEntry, left: NonNullable<LogEntry["redaction"]>): void {
    const target = events.get(redacts ?? "");
    if (target?.roomId === roomId) change(target, { ...left, relatesTo: null, relationType: null });
    const isState = (JSON.parse(left.body) as { state_key?: string }).state_key !== undefined;
    if (!isState || roomId === null || redacts === null) return;
    for (const each of above(rooms.get(roomId), 0)) {
      const unsigned = withoutReplaced(each.unsigned, redacts);
      if (unsigned !== undefined) change(each, { unsigned });
    }
  }

  function remove(lane: Lane | undefined, removed: Removed): void {
    const gone = new Set(above(lane, 0).filter((entry) => isRemoved(entry, removed)));
    if (!lane || gone.size === 0) return;
    takeOut(lane, gone);
    takeOut(all, gone);
    for (const entry of gone) {
      bytes -= weigh(entry);
      if (entry.eventId !== null) events.delete(entry.eventId);
    }
  }

  function change(entry: LogEntry, parts: Partial<LogEntry>): void {
    bytes -= weigh(entry);
    Object.assign(entry, parts);
    bytes += weigh(entry);
  }

  return {
    floor: () => low,
    push(entries) {
      for (const entry of entries) {
        bytes += weigh(entry);
        enlist(lists, entry);
        if (entry.redaction) redact(entry, entry.redaction);
        const removed = removedBy(entry);
        if (removed) remove(rooms.get(entry.roomId as string), removed);
      }
      while (length(all) > bound.entries || bytes > bound.bytes) dropOldest();
    },
    ofRoom: (roomId, after) => above(rooms.get(roomId), after),
    ofUser: (userId, after) => above(users.get(userId), after),
    deviceLists: (after) => above(devices, after),
    lastOfRoom: (roomId) => lastOf(rooms, roomId),
    movedAmong: (roomIds, after) => movedAmong(lists, roomIds, after),
    event: (eventId) => events.get(eventId),
    size: () => ({ entries: length(all), bytes }),
  };
}

interface Lists {
  all: Lane;
  rooms: Map<string, Lane>;
  users: Map<string, Lane>;
  devices: Lane;
  events: Map<string, LogEntry>;
}

function emptyLists(): Lists {
  const empty = (): Lane => ({ entries: [], start: 0 });
  return { all: empty(), rooms: new Map(), users: new Map(), devices: empty(), events: new Map() };
}

function enlist({ all, rooms, users, devices, events }: Lists, entry: LogEntry): void {
  all.entries.push(entry);
  if (entry.roomId !== null && isOfRoom(entry)) laneIn(rooms, entry.roomId).entries.push(entry);
  else if (entry.kind === "device_list") devices.entries.push(entry);
  else if (entry.userId !== null) laneIn(users, entry.userId).entries.push(entry);
  if (entry.eventId !== null) events.set(entry.eventId, entry);
}

/** Takes the oldest entry out of all lists. */
function unlist({ all, rooms, users, devices, events }: Lists): LogEntry {
  const entry = shift(all) as LogEntry;
  if (entry.roomId !== null && isOfRoom(entry)) shiftIn(rooms, entry.roomId);
  else if (entry.kind === "device_list") shift(devices);
  else if (entry.userId !== null) shiftIn(users, entry.userId);
  if (entry.eventId !== null) events.delete(entry.eventId);
  return entry;
}

/** Makes the list anew: that is rare, and mostly what leaves the log is older than the tail. */
function takeOut(lane: Lane, gone: ReadonlySet<LogEntry>): void {
  lane.entries = lane.entries.slice(lane.start).filter((entry) => !gone.has(entry));
  lane.start = 0;
}

function lastOf(rooms: Lists["rooms"], roomId: string): number {
  return rooms.get(roomId)?.entries.at(-1)?.position ?? 0;
}

function movedAmong({ all, rooms }: Lists, roomIds: ReadonlyMap<string, unknown>, after: number): Set<string> {
  const first = firstAbove(all, after);
  // Whichever there are fewer of is looked at: a thousand rooms are a thousand places in memory.
  if (all.entries.length - first > roomIds.size)
    return new Set([...roomIds.keys()].filter((roomId) => lastOf(rooms, roomId) > after));
  const moved = new Set<string>();
  for (let at = first; at < all.entries.length; at++) {
    const entry = all.entries[at] as LogEntry;
    if (entry.roomId !== null && isOfRoom(entry) && roomIds.has(entry.roomId)) moved.add(entry.roomId);
  }
  return moved;
}

function isOfRoom({ kind }: LogEntry): boolean {
  return kind === "event" || kind === "receipt" || kind === "removal";
}

function weigh(entry: LogEntry): number {
  return ENTRY_OVERHEAD_BYTES + entry.body.length + (entry.unsigned?.length ?? 0);
}

function laneIn(map: Map<string, Lane>, key: string): Lane {
  let lane = map.get(key);
  if (!lane) map.set(key, (lane = { entries: [], start: 0 }));
  return lane;
}

function shiftIn(map: Map<string, Lane>, key: string): void {
  const lane = map.get(key);
  if (!lane) return;
  shift(lane);
  if (length(lane) === 0) map.delete(key);
}

function length(lane: Lane): number {
  return lane.entries.length - lane.start;
}

function shift(lane: Lane): LogEntry | undefined {
  const entry = lane.entries[lane.start];
  // What is dropped must be free at once, not when the list is next compacted.
  (lane.entries as unknown[])[lane.start] = undefined;
  lane.start += 1;
  // Compacting when half is empty makes a shift cheap on average.
  if (lane.start > 32 && lane.start * 2 > lane.entries.length) {
    lane.entries = lane.entries.slice(lane.start);
    lane.start = 0;
  }
  return entry;
}

function above(lane: Lane | undefined, after: number): LogEntry[] {
  if (!lane) return [];
  const first = firstAbove(lane, after);
  return first === lane.entries.length ? [] : lane.entries.slice(first);
}

/** The index of the first entry above `after`. */
function firstAbove({ entries, start }: Lane, after: number): number {
  let low = start;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as LogEntry).position > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
