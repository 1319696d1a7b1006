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
}

const DEFAULT_LIMIT = 10;

export function createRoomsModel(faults: SyncFaults): RoomsModel {
  const log: Message[] = [];
  const members = new Map<string, Map<string, number>>();
  const transactions = new Map<string, number>();
  const filters: { room?: { timeline?: { limit?: number } } }[] = [];
  const delivered = new Map<string, string[]>();
  const changed = new EventEmitter().setMaxListeners(0);
  let joins = 0;

  /** One room's new messages for a user, or undefined when there is nothing to tell. */
  const timeline = (userId: string, roomId: string, { since, limit }: { since: number | null; limit: number }) => {
    const joinedAt = members.get(roomId)?.get(userId);
    if (joinedAt === undefined) return undefined;
    const isNew = since === null || joinedAt > since;
    const fresh = log.slice(isNew ? 0 : since).filter((message) => message.roomId === roomId);
    const visible = fresh.filter(({ text }) => faults.hide?.(userId, text) !== true);
    if (!isNew && visible.length === 0) return undefined;
    const kept = visible.slice(-Math.min(limit, faults.timelineLimit ?? limit));
    const listed = faults.repeatDeliveries ? [...kept, ...kept.slice(-1)] : kept;
    if (!isNew) delivered.set(userId, [...(delivered.get(userId) ?? []), ...listed.map(({ text }) => text)]);
    const events = listed.map(({ text, userId: sender }) => ({
      type: "m.room.message",
      sender,
      content: { msgtype: "m.text", body: text },
    }));
    return { timeline: { events, limited: kept.length < visible.length, prev_batch: "p" } };
  };

  return {
    acknowledged: log,
    delivered,
    joins: () => joins,
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
      return `$${position}`;
    },
    storeFilter: (filter) => String(filters.push(filter as (typeof filters)[number]) - 1),
    filterLimit: (filterId) => filters[Number(filterId ?? Number.NaN)]?.room?.timeline?.limit ?? DEFAULT_LIMIT,
    async sync(userId, { since, limit, timeout_ms }) {
      const from = since === null ? null : Number(since.slice(1));
      const look = () => {
        const rooms = [...members.keys()].map((roomId) => [roomId, timeline(userId, roomId, { since: from, limit })]);
        return Object.fromEntries(rooms.filter(([, room]) => room !== undefined)) as Record<string, unknown>;
      };
      let join = look();
      const waits = from !== null && timeout_ms > 0;
      const deadline = waits ? AbortSignal.timeout(timeout_ms) : AbortSignal.abort();
      while (Object.keys(join).length === 0 && !deadline.aborted) {
        await once(changed, "change", { signal: deadline }).catch(() => undefined);
        join = look();
      }
      return { rooms: { join }, next_batch: `s${log.length}` };
    },
  };
}
