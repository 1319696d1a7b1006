/**
 * The queue in RabbitMQ: durable quorum queues, publisher confirms, and consumers that acknowledge when their handler is done.
 *
 * Publishing has a connection of its own, and each consumer too: a broker that is short of memory stops reading from those who
 * publish, and acknowledgements must not be stuck behind that.
 */
import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { openRunning } from "./handlers.ts";
import {
  type Consumer,
  type Depth,
  type Handle,
  type Queue,
  type QueueEvents,
  type QueueName,
  queueNames,
  type QueueTuning,
} from "./queue.ts";
import { type Link, openLink } from "./rabbitmq-link.ts";
import { assertTopology, deadQueueOf, retryQueueOf } from "./rabbitmq-topology.ts";

export interface RabbitmqQueueOptions {
  url: string;
  seams: Seams;
  tuning: QueueTuning;
  events: QueueEvents;
}

/** The failed attempts of a message that was put back with a delay: the broker counts only what comes back by itself. */
const ATTEMPTS_HEADER = "x-parley-attempts";

/** Opens the queue. It resolves also when the broker is not there: `publish` then rejects, until it is. */
export async function openRabbitmqQueue(options: RabbitmqQueueOptions): Promise<Queue> {
  const { url, seams, tuning, events } = options;
  const link = openLink({
    url,
    seams,
    setUp: (channel) => assertTopology(channel, tuning),
    onTrouble: events.onTrouble,
  });
  const send = openSending(link, seams);
  const consumers = new Set<Consumer>();
  await link.tried;
  return {
    publish: (name, body) => send(name, body, 0),
    consume(name, handle) {
      const consumer = openConsumer(options, { name, handle, send });
      consumers.add(consumer);
      return consumer;
    },
    depths: () => readDepths(link),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await link.close();
    },
  };
}

/** Publishes to one of the broker's queues; resolves when the broker has confirmed that it is kept. */
type Send = (queue: string, body: string, attempts: number) => Promise<void>;

function openSending(link: Link, seams: Seams): Send {
  let unconfirmed = 0;
  return (queue, body, attempts) =>
    new Promise((resolve, reject) => {
      const channel = link.channel();
      if (!channel || unconfirmed >= limits.laneQueue_submissions) return reject(unavailable());
      unconfirmed += 1;
      const late = seams.after(limits.queueConfirm_ms, () => {
        reject(unavailable(new Error("the broker did not confirm in time")));
        link.renew();
      });
      const onConfirmed = (error: unknown) => {
        unconfirmed -= 1;
        late.cancel();
        if (error) reject(unavailable(error));
        else resolve();
      };
      const options = { persistent: true, headers: { [ATTEMPTS_HEADER]: attempts } };
      try {
        channel.sendToQueue(queue, Buffer.from(body), options, onConfirmed);
      } catch (thrown) {
        // The channel has ended a moment ago.
        onConfirmed(thrown);
      }
    });
}

function unavailable(cause?: unknown): Error {
  return matrixError("IO_PARLEY_UNAVAILABLE", "The queue can not take this now. Try again in a second.", {
    retryAfter_ms: 1_000,
    cause,
  });
}

interface Work {
  name: QueueName;
  handle: Handle;
  send: Send;
}

function openConsumer({ url, seams, tuning, events }: RabbitmqQueueOptions, { name, handle, send }: Work): Consumer {
  const running = openRunning(seams);
  let closing = false;

  async function handleOne(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    const attempt = attemptOf(message);
    try {
      try {
        await handle({ body: message.content.toString("utf8"), attempt });
        events.onOutcome(name, "done");
      } catch (thrown) {
        if (!(await fail(message, attempt, thrown))) return channel.nack(message, false, false);
      }
      channel.ack(message);
    } catch {
      // The channel has ended, or the retry was not taken: the broker hands the message out again, and says so in its count.
      giveBack(channel, message);
    }
  }

  /** Puts the message back for later. Gives false when that was its last attempt. */
  async function fail(message: ConsumeMessage, attempt: number, thrown: unknown): Promise<boolean> {
    const delay_ms = tuning.retries_ms[attempt - 1];
    const isDead = delay_ms === undefined;
    events.onFailure({ name, attempt, isDead, thrown });
    // Kept as a retry before it is acknowledged here: at the worst it is there twice.
    if (!isDead) await send(retryQueueOf(name, delay_ms), message.content.toString("utf8"), attempt);
    events.onOutcome(name, isDead ? "dead" : "retried");
    return !isDead;
  }

  const link = openLink({
    url,
    seams,
    async setUp(channel) {
      await assertTopology(channel, tuning);
      await channel.prefetch(tuning.prefetch_messages);
      await channel.consume(name, (message) => {
        // Without a message: the broker has ended the consumer, for example because its queue was deleted.
        if (message === null) link.renew();
        else if (closing) giveBack(channel, message);
        else running.add(handleOne(channel, message));
      });
    },
    onTrouble: events.onTrouble,
  });

  return {
    async close() {
      closing = true;
      await running.drained(tuning.drain_ms);
      // With the channel goes what is not acknowledged: it is handed out again.
      await link.close();
    },
  };
}

function giveBack(channel: ConfirmChannel, message: ConsumeMessage): void {
  try {
    channel.nack(message, false, true);
  } catch {
    // The channel has ended, and the message is back already.
  }
}

function attemptOf({ properties }: ConsumeMessage): number {
  const failed = Number(properties.headers?.[ATTEMPTS_HEADER] ?? 0);
  const returned = Number(properties.headers?.["x-delivery-count"] ?? 0);
  return failed + returned + 1;
}

async function readDepths(link: Link): Promise<Depth[]> {
  const channel = link.channel();
  if (!channel) throw unavailable();
  return Promise.all(
    queueNames.map(async (name) => {
      const [queue, dead] = await Promise.all([channel.checkQueue(name), channel.checkQueue(deadQueueOf(name))]);
      return { name, waiting: queue.messageCount, dead: dead.messageCount };
    }),
  );
}
