/**
 * Read receipts on their way into the log. They are written in batches: what comes while the previous batch is being written is
 * written together, and of one person in one room (or thread) only the newest. One that would go back is passed over.
 */
import { type Batches, openBatches } from "../batches.ts";
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { NewEntry } from "../log/entry.ts";
import type { Queue } from "../queue/queue.ts";

export type ReceiptType = "m.read" | "m.read.private";

/** How far somebody has read. */
export interface Receipt {
  roomId: string;
  userId: string;
  type: ReceiptType;
  /** The thread's root, or main; without it the receipt is for the whole room. */
  threadId?: string | undefined;
  eventId: string;
  /** Where the event stands in the log. */
  position: number;
  ts: number;
}

/**
 * Resolves when the receipts are safe: written, or kept by the queue where there is one. A queue that is away is passed by.
 */
export async function keepReceipts(ctx: Context, receipts: readonly Receipt[]): Promise<void> {
  if (receipts.length === 0) return;
  if (ctx.queue && (await publish(ctx, ctx.queue, receipts))) return;
  await writeReceipts(ctx, receipts);
}

async function publish(ctx: Context, queue: Queue, receipts: readonly Receipt[]): Promise<boolean> {
  try {
    await queue.publish("read.receipts", JSON.stringify(receipts));
    return true;
  } catch (thrown) {
    ctx.logger.warn({ reason: asError(thrown).message }, "receipts could not be queued and are written here");
    return false;
  }
}

/** Takes receipts from the queue and writes them. Gives the function that ends it. */
export function startReceiptWorker(ctx: Context, queue: Queue): () => Promise<void> {
  const consumer = queue.consume("read.receipts", ({ body }) => writeReceipts(ctx, JSON.parse(body) as Receipt[]));
  return () => consumer.close();
}

async function writeReceipts(ctx: Context, receipts: readonly Receipt[]): Promise<void> {
  await Promise.all(receipts.map((receipt) => batchesOf(ctx).add(receipt)));
}

const known = new WeakMap<Context, Batches<Receipt>>();

function batchesOf(ctx: Context): Batches<Receipt> {
  let batches = known.get(ctx);
  if (!batches) known.set(ctx, (batches = openBatches(limits.receiptBatch, (receipts) => writeBatch(ctx, receipts))));
  return batches;
}

async function writeBatch(ctx: Context, receipts: readonly Receipt[]): Promise<void> {
  const forward = await onlyForward(ctx, newestOfEach(receipts));
  await appendReceipts(ctx, forward.map(entryOf));
}

/** Appends entries that rest on nothing, as many at a time as one append takes. */
export async function appendReceipts(ctx: Context, entries: readonly NewEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += limits.batch_entries)
    await ctx.log.append({ lane: "receipts", entries: entries.slice(start, start + limits.batch_entries) });
}

function nameOf({ roomId, userId, type, threadId = "" }: Pick<Receipt, "roomId" | "userId" | "type" | "threadId">) {
  return `${roomId} ${userId} ${type} ${threadId}`;
}

function newestOfEach(receipts: readonly Receipt[]): Receipt[] {
  const newest = new Map<string, Receipt>();
  for (const receipt of receipts) {
    const name = nameOf(receipt);
    if ((newest.get(name)?.position ?? 0) <= receipt.position) newest.set(name, receipt);
  }
  return [...newest.values()];
}

async function onlyForward(ctx: Context, receipts: readonly Receipt[]): Promise<Receipt[]> {
  const rows = await ctx.db.log.query<Receipt>(
    `select r.room_id as "roomId", r.user_id as "userId", r.type, r.thread_id as "threadId", r.event_position as position
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) n(room_id, user_id, type, thread_id)
     join log.receipts r using (room_id, user_id, type, thread_id)`,
    [
      receipts.map(({ roomId }) => roomId),
      receipts.map(({ userId }) => userId),
      receipts.map(({ type }) => type),
      receipts.map(({ threadId }) => threadId ?? ""),
    ],
  );
  const at = new Map(rows.map((row) => [nameOf(row), row.position]));
  return receipts.filter((receipt) => receipt.position > (at.get(nameOf(receipt)) ?? 0));
}

function entryOf({ roomId, userId, type, threadId, eventId, position, ts }: Receipt): NewEntry {
  const data = threadId === undefined ? { ts } : { ts, thread_id: threadId };
  return {
    kind: "receipt",
    room: roomId,
    user: userId,
    type,
    state_key: threadId ?? "",
    ts,
    receipt_event: eventId,
    receipt_position: position,
    body: JSON.stringify({ event_id: eventId, data }),
  };
}
