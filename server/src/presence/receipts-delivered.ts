/**
 * Delivery receipts: who wrote a message in a small room learns that a device of each other member has it.
 * docs/protocol/delivery.md says what clients see.
 *
 * Each session has a watermark here, in memory: the position up to which its client has acknowledged that it has everything, by the
 * token of a sync or by an acknowledgement on the stream. When the watermark moves past messages of others, what their senders
 * should learn is gathered, of each sender and reader in a room the newest only, and once a second all of it is written in a few
 * statements. A session that nobody wrote to costs a look at its rooms, and nothing is written for it; nor for large rooms, nor for
 * what was read meanwhile, or for who has switched it off. The log keeps one entry for each pair: what a newer one replaces is deleted.
 */
import { LRUCache } from "lru-cache";
import { whoRefuses } from "../account/privacy.ts";
import { atMost } from "../bounded.ts";
import type { Context } from "../context.ts";
import { asError, MatrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { limits } from "../limits.ts";
import { DELIVERED, type LogEntry, type NewEntry } from "../log/entry.ts";
import type { RoomState } from "../rooms/state.ts";
import { appendReceipts } from "./receipts-write.ts";

/** What the sender of an event should learn. */
interface Delivery {
  roomId: string;
  sender: string;
  /** Whose device has the event. */
  reader: string;
  eventId: string;
  position: number;
}

interface Deliveries {
  /** The client of the session has everything up to `position`. */
  note(session: Pick<Session, "id" | "userId">, position: number): void;
  /** Resolves when all that is gathered is written. */
  written(): Promise<void>;
}

const known = new WeakMap<Context, Deliveries>();

/** The deliveries that this process has noticed. */
export function deliveriesOf(ctx: Context): Deliveries {
  let deliveries = known.get(ctx);
  if (!deliveries) known.set(ctx, (deliveries = openDeliveries(ctx)));
  return deliveries;
}

function openDeliveries(ctx: Context): Deliveries {
  const watermarks = new LRUCache<number, number>(atMost(limits.sessionCache_sessions));
  const due = new Map<string, Delivery>();
  let writing: Promise<void> | undefined;

  async function writeDue(): Promise<void> {
    while (due.size > 0) {
      const some = [...due].slice(0, limits.receiptBatch);
      for (const [name] of some) due.delete(name);
      await write(
        ctx,
        some.map(([, delivery]) => delivery),
      ).catch((thrown: unknown) => {
        if (isAway(thrown)) for (const [name, delivery] of some) if (!due.has(name)) due.set(name, delivery);
        throw thrown;
      });
    }
  }

  function written(): Promise<void> {
    return (writing ??= writeDue()
      .catch((thrown: unknown) => {
        ctx.logger.warn({ err: asError(thrown), due: due.size }, "delivery receipts were not written");
        if (due.size > 0) plan();
      })
      .finally(() => (writing = undefined)));
  }

  function plan(): void {
    ctx.seams.after(limits.deliveryTick_ms, () => {
      if (!ctx.stopping.aborted) void written();
    });
  }

  function gather(delivery: Delivery): void {
    const name = `${delivery.roomId} ${delivery.sender} ${delivery.reader}`;
    const isNew = due.get(name) === undefined;
    if (isNew && due.size >= limits.deliveriesDue) return;
    if ((due.get(name)?.position ?? 0) < delivery.position) due.set(name, delivery);
    if (due.size === 1 && isNew) plan();
  }

  return {
    note({ id, userId }, position) {
      const { tail } = ctx.log;
      const from = watermarks.get(id) ?? tail.floor();
      const memberships = ctx.rooms.peekMemberships(userId);
      if (position <= from || !memberships) return;
      let isWhole = true;
      for (const roomId of tail.movedAmong(memberships, from)) {
        if (memberships.get(roomId)?.membership !== "join") continue;
        const room = ctx.rooms.peek(roomId);
        isWhole &&= room !== undefined;
        if (!room || room.joinedCount > limits.deliveryRoom_members) continue;
        for (const entry of tail.ofRoom(roomId, from))
          if (entry.position <= position && isTold(entry, room, userId)) gather(deliveryOf(entry, userId));
      }
      // A room that is not in memory is looked at the next time, when the sync has brought it.
      if (isWhole) watermarks.set(id, position);
    },
    written,
  };
}

/** The database is. What fails otherwise would fail again, and hold up the rest. */
function isAway(thrown: unknown): boolean {
  return thrown instanceof MatrixError && thrown.errcode === "IO_PARLEY_UNAVAILABLE";
}

/** Messages of others who are still there, and no older than the reader's own coming: nobody is told of what stands before that. */
function isTold(entry: LogEntry, room: RoomState, reader: string): boolean {
  if (entry.kind !== "event" || entry.stateKey !== null || entry.userId === reader) return false;
  return entry.position > room.memberPosition(reader) && room.membership(entry.userId as string) === "join";
}

function deliveryOf({ roomId, userId, eventId, position }: LogEntry, reader: string): Delivery {
  return { roomId: roomId as string, sender: userId as string, reader, eventId: eventId as string, position };
}

async function write(ctx: Context, gathered: readonly Delivery[]): Promise<void> {
  const silent = await whoRefuses(
    ctx,
    "delivery_receipts",
    gathered.map(({ reader }) => reader),
  );
  const deliveries = gathered.filter(({ reader }) => !silent.has(reader));
  if (deliveries.length === 0) return;
  const told = await untold(ctx, deliveries);
  await appendReceipts(
    ctx,
    told.map(({ delivery }) => entryOf(delivery, ctx.seams.now_ms())),
  );
  const replaced = told.flatMap(({ before }) => before ?? []);
  if (replaced.length === 0) return;
  await ctx.db.log.change("delete from log.entries where position = any($1) and kind = 'receipt' and type = $2", [
    replaced,
    DELIVERED,
  ]);
}

/** What its sender does not know yet, be it as delivered or as read, each with the position of the entry that it replaces. */
async function untold(
  ctx: Context,
  deliveries: readonly Delivery[],
): Promise<{ delivery: Delivery; before: number | null }[]> {
  const rows = await ctx.db.log.query<{ n: number; before: number | null }>(
    `select d.n, r.position as before
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) with ordinality d(room_id, sender, reader, position, n)
     left join log.receipts r on r.room_id = d.room_id and r.user_id = d.sender and r.type = $5 and r.thread_id = d.reader
     where coalesce(r.event_position, 0) < d.position and not exists (
       select from log.receipts s
       where s.room_id = d.room_id and s.user_id = d.reader and s.type = 'm.read' and s.event_position >= d.position)`,
    [
      deliveries.map(({ roomId }) => roomId),
      deliveries.map(({ sender }) => sender),
      deliveries.map(({ reader }) => reader),
      deliveries.map(({ position }) => position),
      DELIVERED,
    ],
  );
  return rows.map(({ n, before }) => ({ delivery: deliveries[n - 1] as Delivery, before }));
}

function entryOf({ roomId, sender, reader, eventId, position }: Delivery, ts: number): NewEntry {
  return {
    kind: "receipt",
    room: roomId,
    user: sender,
    type: DELIVERED,
    state_key: reader,
    ts,
    receipt_event: eventId,
    receipt_position: position,
    body: JSON.stringify({ event_id: eventId, data: { ts } }),
  };
}
