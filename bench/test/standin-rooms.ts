import { EventEmitter, once } from "node:events";

// The stand-in server's rooms: one log for all, its length is the sync token.

export interface SyncFaults {
  /** Lists the last message of every answer twice. */
  repeatDeliveries?: boolean;
  /** Leaves these messages out of what a user gets. */
  hide?: (userId: string, text: string) => boolean;
  /** Cuts timelines to so few messages, whatever the filter says. */
  timelineLimit?: number;
}

export interface Message {
  userId: string;
  roomId: string;
  transactionId: string;
  text: string;
}

interface SyncOptions {
  since: string | null;
  limit: number;
  timeout_ms: number;
}

export interface RoomsModel {
  create(userId: string): string;
  join(userId: string, roomId: string): boolean;
  send(message: Message): string;
  storeFilter(filter: unknown): string;
  filterLimit(filterId: string | null): number;
  sync(userId: string, options: SyncOptions): Promise<unknown>;
  /** Every message that was acknowledged, in order. */
  acknowledged: Message[];
  /** Every message that stood in an answer that was not a first sync, by user, repeats included. */
  delivered: Map<string, string[]>;
  /** Joins by others than the room's creator. */
  joins: () => number;
  /** Who waits for news and has been handed out all that there is. */
  resting: ReadonlySet<string>;
  /** Resolves when the condition is true, which is looked at after each send, and when somebody begins to rest. */
  until(isTrue: () => boolean): Promise<void>;
}

const DEFAULT_LIMIT = 10;

interface Rooms {
  faults: SyncFaults;
  log: Message[];
  /** For each room the position at which each member joined. */
  members: Map<string, Map<string, number>>;
  delivered: Map<string, string[]>;
  resting: Set<string>;
  changed: EventEmitter;
}

export function createRoomsModel(faults: SyncFaults): RoomsModel {
  const changed = new EventEmitter().setMaxListeners(0);
  const rooms: Rooms = { faults, log: [], members: new Map(), delivered: new Map(), resting: new Set(), changed };
  const { log, members, delivered, resting } = rooms;
  const transactions = new Map<string, number>();
  const filters: { room?: { timeline?: { limit?: number } } }[] = [];
  let joins = 0;
  return {
    acknowledged: log,
    delivered,
    joins: () => joins,
    resting,
    async until(isTrue) {
      while (!isTrue()) await once(changed, "moved");
    },
    create(userId) {
      const roomId = `!${members.size}:standin`;
      members.set(roomId, new Map([[userId, log.length]]));
      return roomId;
    },
    join(userId, roomId) {
      const room = members.get(roomId);
      if (room === undefined) return false;
      if (!room.has(userId)) joins++;
      room.set(userId, room.get(userId) ?? log.length);
      return true;
    },
    send(message) {
      const key = `${message.userId} ${message.transactionId}`;
      const position = transactions.get(key) ?? log.push(message);
      transactions.set(key, position);
      changed.emit("change");
      changed.emit("moved");
      return `$${position}`;
    },
    storeFilter: (filter) => String(filters.push(filter as (typeof filters)[number]) - 1),
    filterLimit: (filterId) => filters[Number(filterId ?? Number.NaN)]?.room?.timeline?.limit ?? DEFAULT_LIMIT,
    sync: (userId, options) => sync(rooms, userId, options),
  };
}

async function sync(rooms: Rooms, userId: string, { since, limit, timeout_ms }: SyncOptions): Promise<unknown> {
  const from = since === null ? null : Number(since.slice(1));
  const waits = from !== null && timeout_ms > 0;
  const deadline = waits ? AbortSignal.timeout(timeout_ms) : AbortSignal.abort();
  let join = newTimelines(rooms, userId, { from, limit });
  while (Object.keys(join).length === 0 && !deadline.aborted) {
    rooms.resting.add(userId);
    rooms.changed.emit("moved");
    await once(rooms.changed, "change", { signal: deadline }).catch(() => undefined);
    rooms.resting.delete(userId);
    join = newTimelines(rooms, userId, { from, limit });
  }
  return { rooms: { join }, next_batch: `s${rooms.log.length}` };
}

interface Range {
  /** Null for a first sync. */
  from: number | null;
  limit: number;
}

/** The rooms in which there is something new for a user. */
function newTimelines(rooms: Rooms, userId: string, { from, limit }: Range): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [roomId, room] of rooms.members) {
    const joinedAt = room.get(userId);
    if (joinedAt === undefined) continue;
    const isNew = from === null || joinedAt > from;
    const messages = rooms.log.slice(isNew ? 0 : from).filter((message) => message.roomId === roomId);
    const visible = messages.filter(({ text }) => rooms.faults.hide?.(userId, text) !== true);
    if (!isNew && visible.length === 0) continue;
    const kept = visible.slice(-Math.min(limit, rooms.faults.timelineLimit ?? limit));
    const listed = rooms.faults.repeatDeliveries ? [...kept, ...kept.slice(-1)] : kept;
    if (!isNew) noteDeliveries(rooms, userId, listed);
    found[roomId] = {
      timeline: {
        events: listed.map((message) => toEvent(message, userId)),
        limited: kept.length < visible.length,
        prev_batch: "p",
      },
    };
  }
  return found;
}

function noteDeliveries({ delivered }: Rooms, userId: string, listed: readonly Message[]): void {
  const texts = delivered.get(userId) ?? [];
  for (const { text } of listed) texts.push(text);
  delivered.set(userId, texts);
}

function toEvent({ userId, text, transactionId }: Message, reader: string): unknown {
  const unsigned = reader === userId ? { transaction_id: transactionId } : {};
  return { type: "m.room.message", sender: userId, content: { msgtype: "m.text", body: text }, unsigned };
}
