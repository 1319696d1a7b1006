/**
 * Sends on their way through the queue, several in one message: a message costs the broker and both of its ends far more than
 * what stands in it. What arrives while earlier messages have not been confirmed yet goes into the next one, so a send that
 * comes alone waits for nothing, and the more there is to do, the fuller the messages are.
 */
import { openBatches } from "../batches.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import type { Queue } from "../queue/queue.ts";
import type { Content } from "../rooms/rules/event.ts";
import type { Sending } from "./sending.ts";

/**
 * A send as it travels, in format 1 of `chat.messages`: a list of these. Another member at the end is for who knows it, and may be
 * overlooked; what a worker may not overlook is another format (queue.ts).
 */
export type Packed = [
  sessionId: number,
  userId: string,
  roomId: string,
  type: string,
  txnId: string,
  eventId: string,
  content: Content,
  ts?: number | undefined,
];

/** Resolves when the queue has the send. Rejects when that is not known; it may have it all the same. */
export type PublishSend = (sending: Sending) => Promise<void>;

const known = new WeakMap<Context, PublishSend>();

/** The way of this process into the queue. */
export function publishing(ctx: Context): PublishSend {
  let publish = known.get(ctx);
  if (!publish) known.set(ctx, (publish = openPublishing(ctx.queue as Queue)));
  return publish;
}

/** Opens a way into the queue: `limits.queuedPacks` messages are on it at once, each of so many sends as have come meanwhile. */
export function openPublishing(queue: Queue): PublishSend {
  const ways = Array.from({ length: limits.queuedPacks }, () =>
    openBatches<string>(limits.queuedPack_sends, async (sends) => {
      await Promise.all(packsOf(sends).map((body) => queue.publish("chat.messages", body)));
    }),
  );
  let turn = 0;
  return (sending) => {
    turn = (turn + 1) % ways.length;
    return (ways[turn] as (typeof ways)[number]).add(encodeSend(sending));
  };
}

/** The sends of one message of the queue. */
export function readPack(body: string): Packed[] {
  return JSON.parse(body) as Packed[];
}

export function sendingOf([sessionId, userId, roomId, type, txnId, eventId, content, ts]: Packed): Sending {
  const session = { id: sessionId, userId };
  return { session, roomId, type, txnId, eventId, content, ...(typeof ts === "number" && { ts }) };
}

/** The send as a member of a message's list. */
export function encodeSend({ session, roomId, type, txnId, eventId, content, ts }: Sending): string {
  const packed: Packed = [session.id, session.userId, roomId, type, txnId, eventId, content];
  return JSON.stringify(ts === undefined ? packed : [...packed, ts]);
}

/** Mostly one message; more where they would become large. */
function packsOf(sends: readonly string[]): string[] {
  const packs: string[] = [];
  let pack: string[] = [];
  let characters = 0;
  for (const send of sends) {
    if (characters + send.length > limits.queuedPack_characters && pack.length > 0) {
      packs.push(`[${pack.join()}]`);
      pack = [];
      characters = 0;
    }
    pack.push(send);
    characters += send.length;
  }
  packs.push(`[${pack.join()}]`);
  return packs;
}
