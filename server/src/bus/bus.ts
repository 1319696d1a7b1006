/**
 * The bus carries hints between the processes of one Parley: "the log has grown", "somebody is typing". It is a hint and
 * never the truth: at most once, in order for each publisher, and losing every message costs latency only.
 */
export interface Bus {
  /** Hands the message to every subscriber of every process, this one included. Returns at once and never throws. */
  publish(topic: Topic, message: string): void;
  /** Calls `receive` for each message of the topic until the returned function is called. */
  subscribe(topic: Topic, receive: (message: string) => void): () => void;
  close(): Promise<void>;
}

/** head: the log's newest position. typing and presence: what their domain says. */
export type Topic = "head" | "typing" | "presence" | "queue" | "sent";
