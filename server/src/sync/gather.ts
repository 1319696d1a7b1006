/**
 * The entries of the log that a sync answers with: from memory where the client is close behind the head, else from the
 * database. Both give the same; the answer is built from either without knowing which.
 */
import { limits } from "../limits.ts";
import { ENTRY_COLUMNS, isOwnReceipt, type LogEntry } from "../log/entry.ts";
import type { Context } from "../context.ts";

/** A stretch of the log: above `since`, up to and with `upTo`. */
export interface Stretch {
  since: number;
  upTo: number;
}

/** What happened in one room in the stretch, oldest first. */
export interface RoomNews {
  events: readonly LogEntry[];
  receipts: readonly LogEntry[];
  /** More events than these are in the stretch: the oldest of it are missing here. */
  truncated: boolean;
}

const nothing: RoomNews = { events: [], receipts: [], truncated: false };

export interface News {
  ofRoom(roomId: string): RoomNews;
  /** What is for this person alone: account data, to-device messages, sessions. */
  own: readonly LogEntry[];
  /** Entries about people whose devices or keys changed. */
  deviceLists: readonly LogEntry[];
}

export interface GatherOptions {
  userId: string;
  deviceId: string;
  /** The client starts from nothing. */
  isFirst: boolean;
  /** The rooms that the person is or was in, each with the position up to which its news are theirs. */
  rooms: ReadonlyMap<string, number>;
  /** How many events of a room are wanted at the most. */
  events: number;
}

/** Gathers the news of the stretch. */
export async function gather(ctx: Context, stretch: Stretch, options: GatherOptions): Promise<News> {
  const { tail } = ctx.log;
  // What a first sync must not get again is deleted in the database: to-device messages that had arrived.
  const isInMemory = !options.isFirst && stretch.since >= tail.floor();
  ctx.metrics.syncs.inc({ from: isInMemory ? "memory" : "database" });
  if (isInMemory) return fromMemory(ctx, stretch, options);
  return fromDatabase(ctx, stretch, options);
}

/** Takes it all out at once: while the answer is built the tail moves on, and its oldest entries go. */
function fromMemory({ log: { tail } }: Context, { since, upTo }: Stretch, { userId, rooms }: GatherOptions): News {
  const found = new Map<string, RoomNews>();
  for (const [roomId, end] of rooms) {
    if (tail.lastOfRoom(roomId) <= since) continue;
    const entries = within(tail.ofRoom(roomId, since), end);
    const events = entries.filter((entry) => entry.kind === "event");
    const receipts = entries.filter((entry) => entry.kind === "receipt" && isForReader(entry, userId));
    found.set(roomId, { events, receipts, truncated: false });
  }
  return {
    ofRoom: (roomId) => found.get(roomId) ?? nothing,
    own: within(tail.ofUser(userId, since), upTo),
    deviceLists: within(tail.deviceLists(since), upTo),
  };
}

function within(entries: LogEntry[], upTo: number): LogEntry[] {
  const isOver = (entries.at(-1)?.position ?? 0) > upTo;
  return isOver ? entries.filter((entry) => entry.position <= upTo) : entries;
}

function isForReader(receipt: LogEntry, userId: string): boolean {
  return !isOwnReceipt(receipt) || receipt.userId === userId;
}

async function fromDatabase(ctx: Context, stretch: Stretch, options: GatherOptions): Promise<News> {
  const [events, receipts, own, deviceLists] = await Promise.all([
    readRoomEvents(ctx, { since: stretch.since, rooms: options.rooms, limit: options.events + 1 }),
    readReceipts(ctx, stretch, options),
    readOwn(ctx, stretch, options),
    readDeviceLists(ctx, stretch, options),
  ]);
  const eventsByRoom = groupByRoom(events);
  const receiptsByRoom = groupByRoom(receipts);
  return {
    ofRoom(roomId) {
      const found = eventsByRoom.get(roomId) ?? [];
      const truncated = found.length > options.events;
      return {
        events: truncated ? found.slice(-options.events) : found,
        receipts: receiptsByRoom.get(roomId) ?? [],
        truncated,
      };
    },
    own,
    deviceLists,
  };
}

function groupByRoom(entries: readonly LogEntry[]): Map<string, LogEntry[]> {
  const groups = new Map<string, LogEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.roomId as string);
    if (group) group.push(entry);
    else groups.set(entry.roomId as string, [entry]);
  }
  return groups;
}

/** The newest `limit` events of each room above `since` and up to the room's own end, oldest first. */
export function readRoomEvents(
  ctx: Context,
  { since, rooms, limit }: { since: number; rooms: ReadonlyMap<string, number>; limit: number },
): Promise<LogEntry[]> {
  if (rooms.size === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select e.* from unnest($1::text[], $3::bigint[]) r(id, up_to) cross join lateral (
       select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = r.id and e.position > $2 and e.position <= r.up_to
       order by e.position desc limit $4
     ) e order by e.position`,
    [[...rooms.keys()], since, [...rooms.values()], limit],
  );
}

/** The receipts that changed in the stretch, as the entries that they were: those that are told to others are not among them. */
export function readReceipts(
  ctx: Context,
  { since, upTo }: Stretch,
  { rooms, userId }: Pick<GatherOptions, "rooms" | "userId">,
): Promise<LogEntry[]> {
  if (rooms.size === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.receipts r join log.entries e on e.position = r.position
     where r.room_id = any($1) and r.position > $2 and r.position <= $3 and (r.type = 'm.read' or r.user_id = $4)
     order by e.position`,
    [[...rooms.keys()], since, upTo, userId],
  );
}

/** Account data is read where it stands now: what was replaced since does not matter any more. */
async function readOwn(
  ctx: Context,
  { since, upTo }: Stretch,
  { userId, deviceId }: GatherOptions,
): Promise<LogEntry[]> {
  const [data, messages] = await Promise.all([
    ctx.db.log.query<LogEntry>(
      `select ${ENTRY_COLUMNS} from log.account_data a join log.entries e on e.position = a.position
       where a.user_id = $1 and a.position > $2 and a.position <= $3 order by e.position`,
      [userId, since, upTo],
    ),
    ctx.db.log.query<LogEntry>(
      `select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'to_device' and e.user_id = $1 and e.device_id = $2 and e.position > $3 and e.position <= $4
       order by e.position limit $5`,
      [userId, deviceId, since, upTo, limits.toDevicePerSync_messages + 1],
    ),
  ]);
  return [...data, ...messages];
}

function readDeviceLists(ctx: Context, { since, upTo }: Stretch, { isFirst }: GatherOptions): Promise<LogEntry[]> {
  // A first sync tells nothing of devices: the client asks for those of everybody it meets.
  if (isFirst) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select distinct on (e.user_id, e.body) ${ENTRY_COLUMNS} from log.entries e
     where e.kind = 'device_list' and e.position > $1 and e.position <= $2 order by e.user_id, e.body, e.position desc`,
    [since, upTo],
  );
}
