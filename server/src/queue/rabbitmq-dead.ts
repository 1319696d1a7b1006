/** Dead messages in RabbitMQ, for operators: all of a queue at once, since a broker hands messages out and shows none. */
import type { ConfirmChannel, GetMessage } from "amqplib";
import type { QueueName } from "./queue.ts";
import { deadQueueOf } from "./rabbitmq-topology.ts";

export interface RetryDead {
  name: QueueName;
  limit: number;
  /** Resolves when the broker keeps it in its queue. */
  publish(message: GetMessage): Promise<void>;
}

/**
 * Puts back those that were there at the beginning, the oldest first: one that dies again meanwhile waits for the next time. A message
 * is in its queue before it leaves the dead ones, so where this ends in between it is there twice at the worst.
 */
export async function retryDeadOf(channel: ConfirmChannel, { name, limit, publish }: RetryDead): Promise<number> {
  const { messageCount } = await channel.checkQueue(deadQueueOf(name));
  const most = Math.min(messageCount, limit);
  for (let moved = 0; moved < most; moved += 1) {
    const message = await channel.get(deadQueueOf(name));
    if (message === false) return moved;
    await publish(message).catch((thrown: unknown) => {
      channel.nack(message, false, true);
      throw thrown;
    });
    channel.ack(message);
  }
  return most;
}

export async function discardDeadOf(channel: ConfirmChannel, name: QueueName): Promise<number> {
  return (await channel.purgeQueue(deadQueueOf(name))).messageCount;
}
