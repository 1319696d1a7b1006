/** Takes messages from the queue in PostgreSQL, hands them to a handler, and writes down what became of them. */
import { openBatches } from "../batches.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { openRunning } from "./handlers.ts";
import type { PostgresqlQueueOptions } from "./postgresql.ts";
import { bury, deleteMessages, holdMessages, putBack, type Taken, takeMessages } from "./postgresql-queries.ts";
import type { Consumer, Handle, QueueName } from "./queue.ts";

export function openConsumer(options: PostgresqlQueueOptions, name: QueueName, handle: Handle): Consumer {
  const { db, seams, tuning, events, hints } = options;
  const running = openRunning(seams);
  const held = new Map<number, Taken>();
  const closing = new AbortController();
  const settle = openSettling(options, name, handle);
  const waking = openWaking(seams);
  const stopListening = hints.listen((hinted) => {
    if (hinted === name) waking.wake();
  });
  const holding = seams.every(tuning.visibility_ms / 3, () => {
    if (held.size > 0) holdMessages(db, [...held.keys()], tuning.visibility_ms).catch(events.onTrouble);
  });

  async function handleOne(message: Taken): Promise<void> {
    held.set(message.id, message);
    // What can not be written down stays taken until its time comes, and is then handed out again.
    await settle(message).catch(events.onTrouble);
    held.delete(message.id);
  }

  /** Takes what is there; gives whether there may be more. */
  async function takeSome(): Promise<boolean> {
    const limit = Math.min(tuning.prefetch_messages - running.size(), limits.queueBatch_messages);
    const messages = await takeMessages(db, name, {
      limit,
      visibility_ms: tuning.visibility_ms,
      format: tuning.formats[name],
    });
    for (const message of messages) running.add(handleOne(message));
    return messages.length === limit;
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const woken = waking.next();
      try {
        // Handlers end together, with the append that they share: taking for each of them would be many queries for few messages.
        if (running.size() > tuning.prefetch_messages * 0.75) await Promise.race([running.next(), woken]);
        else if (!(await takeSome())) await woken;
      } catch (thrown) {
        events.onTrouble(thrown);
        await woken;
      }
    }
  }

  const ran = run();
  return {
    async close() {
      closing.abort();
      stopListening();
      waking.close();
      await ran;
      await running.drained(tuning.drain_ms);
      holding.cancel();
      await Promise.all([...held.values()].map((message) => putBack(db, message, 0).catch(events.onTrouble)));
    },
  };
}

/** Hands a message over and writes down how it ended. Rejects where that could not be written. */
function openSettling({ db, tuning, events }: PostgresqlQueueOptions, name: QueueName, handle: Handle) {
  const done = openBatches<number>(limits.queueBatch_messages, (ids) => deleteMessages(db, ids));

  async function fail(message: Taken, thrown: unknown): Promise<void> {
    const delay_ms = tuning.retries_ms[message.attempts - 1];
    const isDead = delay_ms === undefined;
    events.onFailure({ name, attempt: message.attempts, isDead, thrown });
    if (isDead) await bury(db, message, asError(thrown).message);
    else await putBack(db, message, delay_ms);
    events.onOutcome(name, isDead ? "dead" : "retried");
  }

  return async (message: Taken): Promise<void> => {
    const isOver = message.attempts > tuning.retries_ms.length + 1;
    if (isOver) return fail(message, new Error("its consumers died over it, the last attempt included"));
    try {
      await handle({ body: message.body, attempt: message.attempts, format: message.format });
    } catch (thrown) {
      return fail(message, thrown);
    }
    await done.add(message.id);
    events.onOutcome(name, "done");
  };
}

/** Wakes whoever waits at a hint, and every `limits.queuePoll_ms`. A hint between `next` and its wait is not lost. */
function openWaking(seams: Seams) {
  let woken = Promise.withResolvers<void>();
  let closed = false;
  const wake = () => {
    woken.resolve();
    if (!closed) woken = Promise.withResolvers();
  };
  const poll = seams.every(limits.queuePoll_ms, wake);
  return {
    wake,
    next: () => woken.promise,
    close() {
      closed = true;
      poll.cancel();
      wake();
    },
  };
}
