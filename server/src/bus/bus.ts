/**
 * The bus carries hints between the processes of one Parley: "the log has grown", "somebody is typing". It is a hint and
 * never the truth: at most once, in order for each publisher, and losing every message costs latency only. Whoever reads a
 * hint about the log therefore looks at the log by itself as well, once a second. During an upgrade the processes of two releases
 * hear each other: what one of them can not read it passes over (readMessage).
 */
export interface Bus {
  /**
   * Hands the message to every subscriber of every process, this one included. Returns at once and never throws; a subscriber
   * is called in a later turn of the loop. The message is text without U+0000, of at most limits.busMessage_bytes; one that
   * is larger, or that finds no connection, is dropped and counted.
   */
  publish(topic: Topic, message: string): void;
  /**
   * Calls `receive` for each message of the topic until the returned function is called. `own` says that this process
   * published it: it arrives whether or not the others can be reached.
   */
  subscribe(topic: Topic, receive: Receive): () => void;
  /** A message of up to so many bytes travels whole; a larger one in several parts. 0 where nobody else listens. */
  packet_bytes: number;
  close(): Promise<void>;
}

/**
 * What a message says in JSON; undefined for what is none. It may be of another release: whoever reads it takes the members that they
 * know, overlooks the others, and does without what they can not make sense of, as if the message had been lost.
 */
export function readMessage<Shape extends object>(message: string): Partial<Shape> | undefined {
  try {
    const read = JSON.parse(message) as unknown;
    return typeof read === "object" && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}

export type Receive = (message: string, own: boolean) => void;

/** head: the log's newest position, and small entries. typing, presence and upload: what has changed in the store of the
 *  ephemeral. queue: the name of a queue
 *  that has got something. due: the kind of work that is due, and when. sent: what became of a send that went through the queue, where
 *  the log does not say it. */
export type Topic = "head" | "typing" | "presence" | "upload" | "queue" | "due" | "sent" | "traces";
