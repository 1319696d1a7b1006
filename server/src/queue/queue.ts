/**
 * The queue hands work from the process that was asked for it to whichever process is free for it.
 *
 * Guarantees: a message whose `publish` resolved is handed out at least once, to one consumer at a time, until a handler is done
 * with it; it outlives every process and, with a broker of several nodes, the loss of some of them. It can be handed out twice:
 * when a consumer died, or was cut off, between its work and its acknowledgement. So what a handler does must be the same when it
 * is done twice. Messages are handed out oldest first, but consumers compete and retries come back later, so there is no order
 * among messages that are under way at the same time.
 *
 * A message is *waiting* (published, or put back for a retry that is due later), then *taken* (one consumer has it), and ends
 * *done* (its handler resolved) or *dead* (its handler threw each time, or its consumers died over it). Dead messages are kept
 * apart until an operator looks at them; nothing takes them out by itself.
 *
 * A message outlives the process that wrote it, and during an upgrade processes of two releases publish and consume side by side.
 * So each message has a *format*, a number for each queue (`formats`). Nobody is handed a message of a later format than it reads:
 * that stays waiting for somebody who does, is no failure, and is never dead for it. What the number promises: docs/operations/queues.md.
 */
export interface Queue {
  /** Resolves when the message is kept safely. Rejects with IO_PARLEY_UNAVAILABLE when that is not known; it may be in all the same.
   *  `format` is the earliest that says what the message has to say; 1 where it is left out. */
  publish(name: QueueName, body: string, format?: number): Promise<void>;
  /** Hands messages to `handle`, at most `prefetch_messages` at the same time, until the consumer or the queue is closed. */
  consume(name: QueueName, handle: Handle): Consumer;
  /** How many messages there are of each queue. */
  depths(): Promise<Depth[]>;
  /** Puts at most `limit` dead messages back, the oldest first, as if they were new. Gives how many. */
  retryDead(name: QueueName, limit: number): Promise<number>;
  /** Removes the dead messages of a queue for good. Gives how many. */
  discardDead(name: QueueName): Promise<number>;
  /** Lets the handlers that run finish, for at most `drain_ms`, and closes. What they did not finish is handed out again. */
  close(): Promise<void>;
}

/** chat.messages: sends on their way into the log. read.receipts: how far somebody has read. */
export const queueNames = ["chat.messages", "read.receipts"] as const;
export type QueueName = (typeof queueNames)[number];

/**
 * The latest format of each queue's messages that this release reads. A member that a worker may overlook needs no new one. What
 * it may not overlook does: a release then reads the new format first, and the release after it writes it.
 */
export const formats: Readonly<Record<QueueName, number>> = { "chat.messages": 1, "read.receipts": 1 };

/** Resolves when the message is done with, for good. When it throws, the message comes again, or is dead after the last attempt. */
export type Handle = (delivery: Delivery) => Promise<void>;

export interface Delivery {
  body: string;
  /** 1 the first time; a message that a dead consumer had counts too. */
  attempt: number;
  /** At most the latest that this process reads; what is published anew because of this message keeps it. */
  format: number;
}

export interface Consumer {
  /** Takes no more, lets the handlers that run finish for at most `drain_ms`, and gives back what they did not. */
  close(): Promise<void>;
}

export interface Depth {
  name: QueueName;
  /** Not taken by anybody; those whose retry is due later too, where the adapter can tell. */
  waiting: number;
  dead: number;
}

/** The numbers of a queue; tests make them small. */
export interface QueueTuning {
  prefetch_messages: number;
  /** How long after each failed attempt the message comes again: one more attempt than there are delays. */
  retries_ms: readonly number[];
  /** How long a message stays taken by a consumer that does not move any more (PostgreSQL; a broker sees a dead connection). */
  visibility_ms: number;
  drain_ms: number;
  /** See `formats`. */
  formats: Readonly<Record<QueueName, number>>;
}

/** What a queue tells of what it does. */
export interface QueueEvents {
  onOutcome(name: QueueName, outcome: Outcome): void;
  /** A message could not be done; it comes again, or is dead. */
  onFailure(failure: { name: QueueName; attempt: number; isDead: boolean; thrown: unknown }): void;
  /** The queue's server is not there, or is there again. */
  onTrouble(thrown: unknown): void;
}

/** left: a message of a later format that came here all the same, for others to take (RabbitMQ). */
export type Outcome = "done" | "retried" | "dead" | "left";
