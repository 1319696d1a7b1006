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
import { inTime, type Link, openLink } from "./rabbitmq-link.ts";
import { discardDeadOf, retryDeadOf } from "./rabbitmq-dead.ts";
import { assertTopology, deadQueueOf, retryQueueOf } from "./rabbitmq-topology.ts";

export interface RabbitmqQueueOptions {
  url: string;
  seams: Seams;
  tuning: QueueTuning;
  events: QueueEvents;
}

/** The failed attempts of a message that was put back with a delay: the broker counts only what comes back by itself. */
const ATTEMPTS_HEADER = "x-parley-attempts";
/** The message's format; 1 where it is missing. */
const FORMAT_HEADER = "x-parley-format";
/** How often the message was left to others because of its format. */
const LEFT_HEADER = "x-parley-left";

/** Opens the queue. It resolves also when the broker is not there: `publish` then rejects, until it is. */
export async function openRabbitmqQueue(options: RabbitmqQueueOptions): Promise<Queue> {
  const { url, seams, tuning, events } = options;
  const returned = new Set<string>();
  const link = openLink({
    url,
    seams,
    async setUp(channel) {
      channel.on("return", ({ properties }: Pick<ConsumeMessage, "properties">) =>
        returned.add(properties.messageId as string),
      );
      await assertTopology(channel, tuning);
    },
    onTrouble: events.onTrouble,
  });
  const send = openSending(link, { seams, returned });
  const consumers = new Set<Consumer>();
  await link.tried;
  return {
    publish: (name, body, format = 1) => send(name, body, { [ATTEMPTS_HEADER]: 0, [FORMAT_HEADER]: format }),
    consume(name, handle) {
      const consumer = openConsumer(options, { name, handle, send });
      consumers.add(consumer);
      return consumer;
    },
    depths: () => readDepths(link),
    retryDead: (name, limit) =>
      retryDeadOf(upOf(link), { name, limit, publish: (message) => send(name, message.content, asNew(message)) }),
    discardDead: (name) => discardDeadOf(upOf(link), name),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await link.close();
    },
  };
}

function asNew({ properties }: Pick<ConsumeMessage, "properties">): Headers {
  return { [ATTEMPTS_HEADER]: 0, [FORMAT_HEADER]: properties.headers?.[FORMAT_HEADER] ?? 1 };
}

/** Publishes to one of the broker's queues; resolves when the broker has confirmed that it is kept. */
type Send = (queue: string, body: string | Buffer, headers: Headers) => Promise<void>;
type Headers = Readonly<Record<string, unknown>>;

interface SendingOptions {
  seams: Seams;
  /** The ids of messages that came back, because there was no queue for them: the broker confirms those too, a moment later. */
  returned: Set<string>;
}

function openSending(link: Link, { seams, returned }: SendingOptions): Send {
  let unconfirmed = 0;
  let published = 0;
  return (queue, body, headers) =>
    new Promise((resolve, reject) => {
      const channel = link.channel();
      if (!channel || unconfirmed >= limits.laneQueue_submissions) return reject(unavailable());
      unconfirmed += 1;
      const messageId = String((published += 1));
      const late = seams.after(limits.queueConfirm_ms, () => {
        reject(unavailable(new Error("the broker did not confirm in time")));
        link.renew();
      });
      const onConfirmed = (error: unknown) => {
        unconfirmed -= 1;
        late.cancel();
        if (returned.delete(messageId)) {
          reject(unavailable(new Error(`the broker has no queue ${queue}`)));
          // Another channel makes the queues again that somebody has deleted.
          link.renew();
        } else if (error) reject(unavailable(error));
        else resolve();
      };
      const options = { persistent: true, mandatory: true, messageId, headers };
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

function openConsumer(options: RabbitmqQueueOptions, work: Work): Consumer {
  const { url, seams, tuning, events } = options;
  const { name } = work;
  const running = openRunning(seams);
  const settle = openSettling(options, work);
  let closing = false;
  let stopTaking = async (): Promise<void> => {};

  async function handleOne(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    try {
      if (await settle(message)) channel.ack(message);
      else channel.nack(message, false, false);
    } catch {
      // The channel has ended, or the retry was not taken: the broker hands the message out again, and says so in its count.
      giveBack(channel, message);
    }
  }

  const link = openLink({
    url,
    seams,
    async setUp(channel) {
      await assertTopology(channel, tuning);
      if (closing) return;
      await channel.prefetch(tuning.prefetch_messages);
      const { consumerTag } = await channel.consume(name, (message) => {
        // Without a message: the broker has ended the consumer, for example because its queue was deleted.
        if (message === null) link.renew();
        else if (closing) giveBack(channel, message);
        else running.add(handleOne(channel, message));
      });
      stopTaking = async () => void (await channel.cancel(consumerTag));
    },
    onTrouble: events.onTrouble,
  });

  return {
    async close() {
      closing = true;
      // What is only given back would come again at once, and again, until the broker takes it for deadly.
      await inTime(seams, stopTaking());
      await running.drained(tuning.drain_ms);
      // With the channel goes what is not acknowledged: it is handed out again.
      await link.close();
    },
  };
}

/** Hands a message over, and keeps for later what is not done. Gives false where it is dead; throws where that could not be kept. */
function openSettling({ tuning, events }: RabbitmqQueueOptions, { name, handle, send }: Work) {
  /** Puts the message back for later. Gives false when that was its last attempt. */
  async function fail(message: ConsumeMessage, attempt: number, thrown: unknown): Promise<boolean> {
    const delay_ms = tuning.retries_ms[attempt - 1];
    const isDead = delay_ms === undefined;
    events.onFailure({ name, attempt, isDead, thrown });
    // Kept as a retry before it is acknowledged here: at the worst it is there twice.
    if (!isDead) await sendAgain(message, delay_ms, { [ATTEMPTS_HEADER]: attempt });
    events.onOutcome(name, isDead ? "dead" : "retried");
    return !isDead;
  }

  /** Puts the message back as it is, for a process that reads its format; ever later, since there may be none for long. */
  async function leave(message: ConsumeMessage): Promise<boolean> {
    const left = numberIn(message, LEFT_HEADER, 0);
    const delay_ms = tuning.retries_ms[left] ?? tuning.retries_ms.at(-1);
    if (delay_ms === undefined) throw new Error("there is no queue in which the message could wait");
    await sendAgain(message, delay_ms, { [ATTEMPTS_HEADER]: attemptOf(message) - 1, [LEFT_HEADER]: left + 1 });
    events.onOutcome(name, "left");
    return true;
  }

  function sendAgain({ content, properties }: ConsumeMessage, delay_ms: number, changes: Headers): Promise<void> {
    // What the broker has noted is of the message as it was; what another release of ours has noted stays.
    const own = Object.entries(properties.headers ?? {}).filter(([header]) => header.startsWith("x-parley-"));
    return send(retryQueueOf(name, delay_ms), content, { ...Object.fromEntries(own), ...changes });
  }

  return async (message: ConsumeMessage): Promise<boolean> => {
    const attempt = attemptOf(message);
    const format = numberIn(message, FORMAT_HEADER, 1);
    if (format > tuning.formats[name]) return leave(message);
    try {
      await handle({ body: message.content.toString("utf8"), attempt, format });
    } catch (thrown) {
      return fail(message, attempt, thrown);
    }
    events.onOutcome(name, "done");
    return true;
  };
}

function giveBack(channel: ConfirmChannel, message: ConsumeMessage): void {
  try {
    channel.nack(message, false, true);
  } catch {
    // The channel has ended, and the message is back already.
  }
}

function attemptOf(message: ConsumeMessage): number {
  return numberIn(message, ATTEMPTS_HEADER, 0) + numberIn(message, "x-delivery-count", 0) + 1;
}

function numberIn({ properties }: ConsumeMessage, header: string, otherwise: number): number {
  return Number(properties.headers?.[header] ?? otherwise);
}

function upOf(link: Link): ConfirmChannel {
  const channel = link.channel();
  if (!channel) throw unavailable();
  return channel;
}

async function readDepths(link: Link): Promise<Depth[]> {
  const channel = upOf(link);
  return Promise.all(
    queueNames.map(async (name) => {
      const [queue, dead] = await Promise.all([channel.checkQueue(name), channel.checkQueue(deadQueueOf(name))]);
      return { name, waiting: queue.messageCount, dead: dead.messageCount };
    }),
  );
}
