/** A connection together with what it has brought: the answers of the /sync requests that stand where it does. */
import { type Connection, openConnection, type Socket } from "./connection.ts";
import type { Ending, ServerFrame, SignIn, SyncAnswer } from "./protocol.ts";
import { createQueue } from "./queue.ts";

export interface Line {
  /** Resolves when the server is ready, or the line has ended. */
  ready: Promise<boolean>;
  isOver(): boolean;
  /** Whether a request with this token can be answered from here. */
  continues(since: string): boolean;
  /** The next news; an answer without any at the timeout; undefined when the line ends. Rejects when the signal aborts. */
  next(options: { timeout_ms: number; signal: AbortSignal | undefined }): Promise<SyncAnswer | undefined>;
  /** The client has everything up to here. */
  acknowledge(token: string): void;
  setPresence(presence: string): void;
  close(): void;
}

/** Acknowledgements are put together, but for messages to the device: these wait on the server. */
const ACK_EVERY_MS = 1_000;

/** How long a request without patience waits for the server to have told everything. */
const BACKFILL_MS = 5_000;

/** Opens a line at the token of the sign-in. */
export function openLine(socket: Socket, signIn: SignIn, onEnd: (ending: Ending) => void): Line {
  const queue = createQueue(signIn.since);
  const ready = Promise.withResolvers<boolean>();
  let isOver = false;
  /** The server has told everything, as far as it was at that moment. */
  let hasHead = false;
  let isUrgent = false;
  let acknowledged_ms = 0;
  let wake = () => {};

  function onFrame(frame: ServerFrame): void {
    if (frame.type === "ready") ready.resolve(true);
    else if (frame.type === "heartbeat") {
      hasHead = true;
      queue.reach(frame.next_batch);
    }
    // A SDK that does not take what comes goes on from where it stands, with a new line.
    else if (frame.type === "sync" && !queue.push(frame.sync)) return connection.close();
    wake();
  }

  const connection: Connection = openConnection(socket, signIn, {
    onFrame,
    onEnd(ending) {
      isOver = true;
      ready.resolve(false);
      onEnd(ending);
      wake();
    },
  });

  function take(): SyncAnswer | undefined {
    const answer = queue.shift();
    isUrgent = (answer?.to_device?.events.length ?? 0) > 0;
    return answer;
  }

  return {
    ready: ready.promise,
    isOver: () => isOver,
    continues: (since) => !isOver && queue.at() === since,
    async next({ timeout_ms, signal }) {
      const isLate = deadline(timeout_ms, () => wake());
      const isTooLate = deadline(timeout_ms + BACKFILL_MS, () => wake());
      // An answer without news says that there are none: that is known when the server has told everything.
      const isWaiting = () => queue.size() === 0 && !isOver && !(hasHead ? isLate() : isTooLate());
      while (isWaiting()) {
        signal?.throwIfAborted();
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal?.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      if (queue.size() > 0) return take();
      return isOver ? undefined : { next_batch: queue.settle() };
    },
    acknowledge(token) {
      const now_ms = Date.now();
      if (!isUrgent && now_ms - acknowledged_ms < ACK_EVERY_MS) return;
      acknowledged_ms = now_ms;
      isUrgent = false;
      connection.send({ type: "ack", since: token });
    },
    setPresence: (set_presence) => connection.send({ type: "presence", set_presence }),
    close: () => connection.close(),
  };
}

/** Whether so much time has passed; tells when it has. */
function deadline(delay_ms: number, onLate: () => void): () => boolean {
  const late = AbortSignal.timeout(delay_ms);
  late.addEventListener("abort", onLate, { once: true });
  return () => late.aborted;
}
