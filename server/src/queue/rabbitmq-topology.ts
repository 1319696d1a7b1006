/**
 * What there is in RabbitMQ for one queue, all of it durable and, where it holds messages, replicated (quorum queues):
 *
 * - the queue itself, such as `chat.messages`. What a consumer rejects, and what consumers died over too often, goes to the
 *   exchange `parley.dead`.
 * - `chat.messages.dead`, bound to that exchange.
 * - one queue for each delay of a retry, such as `chat.messages.retry.1000`: nobody consumes it; a message that was in it for its
 *   delay expires, and goes back to the queue itself.
 */
import type { ConfirmChannel } from "amqplib";
import { limits } from "../limits.ts";
import { type QueueName, queueNames, type QueueTuning } from "./queue.ts";

const DEAD_EXCHANGE = "parley.dead";

export function deadQueueOf(name: QueueName): string {
  return `${name}.dead`;
}

export function retryQueueOf(name: QueueName, delay_ms: number): string {
  return `${name}.retry.${delay_ms}`;
}

/** Makes what is missing. Throws when there is one of these names with other properties. */
export async function assertTopology(channel: ConfirmChannel, tuning: QueueTuning): Promise<void> {
  await channel.assertExchange(DEAD_EXCHANGE, "direct", { durable: true });
  for (const name of queueNames) {
    await channel.assertQueue(deadQueueOf(name), { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(deadQueueOf(name), DEAD_EXCHANGE, name);
    await channel.assertQueue(name, {
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        // A message over which this many consumers died would take the next one along too.
        "x-delivery-limit": limits.queueDeliveries,
        "x-max-length": limits.queue_messages,
        // Full means that the publisher is told, not that the oldest message is dropped.
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": name,
        "x-dead-letter-strategy": "at-least-once",
      },
    });
    for (const delay_ms of new Set(tuning.retries_ms)) await assertRetryQueue(channel, name, delay_ms);
  }
}

async function assertRetryQueue(channel: ConfirmChannel, name: QueueName, delay_ms: number): Promise<void> {
  await channel.assertQueue(retryQueueOf(name, delay_ms), {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-message-ttl": delay_ms,
      "x-overflow": "reject-publish",
      // The default exchange: the routing key is the queue's name.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": name,
      "x-dead-letter-strategy": "at-least-once",
    },
  });
}
