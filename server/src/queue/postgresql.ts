/**
 * The queue in PostgreSQL. A message is taken by moving the time at which it may be taken next into the future; while its handler
 * runs that time is moved on, and when its consumer dies the time comes and somebody else takes it.
 *
 * Publishing and acknowledging are gathered: under load there is one statement for many messages. A consumer that waits is woken
 * by a hint, and looks by itself every `limits.queuePoll_ms`, so that lost hints cost time only.
 */
import { openBatches } from "../batches.ts";
import type { Db } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { openConsumer } from "./postgresql-consumer.ts";
import { countMessages, discardDeadOf, insertMessages, type NewMessage, retryDeadOf } from "./postgresql-queries.ts";
import { type Consumer, type Queue, type QueueEvents, type QueueName, queueNames, type QueueTuning } from "./queue.ts";

export interface PostgresqlQueueOptions {
  db: Db;
  seams: Seams;
  tuning: QueueTuning;
  events: QueueEvents;
  /** How processes tell each other that there is something to take. At most once; what is lost costs time. */
  hints: { announce(name: QueueName): void; listen(receive: (name: string) => void): () => void };
}

export function openPostgresqlQueue(options: PostgresqlQueueOptions): Queue {
  const { db, hints } = options;
  const consumers = new Set<Consumer>();
  const published = openBatches<NewMessage>(limits.queueBatch_messages, async (messages) => {
    await insertMessages(db, messages);
    for (const name of new Set(messages.map((each) => each.name))) hints.announce(name);
  });
  return {
    async publish(name, body, format = 1) {
      if (published.waiting() >= limits.laneQueue_submissions)
        throw matrixError(
          "IO_PARLEY_UNAVAILABLE",
          "More is published than the queue can take. Try again in a second.",
          {
            retryAfter_ms: 1_000,
          },
        );
      await published.add({ name, body, format });
    },
    consume(name, handle) {
      const consumer = openConsumer(options, name, handle);
      consumers.add(consumer);
      return consumer;
    },
    depths: () => countMessages(db, queueNames),
    async retryDead(name, limit) {
      const moved = await retryDeadOf(db, name, limit);
      if (moved > 0) hints.announce(name);
      return moved;
    },
    discardDead: (name) => discardDeadOf(db, name),
    async close() {
      await published.drained();
      await Promise.all([...consumers].map((consumer) => consumer.close()));
    },
  };
}
