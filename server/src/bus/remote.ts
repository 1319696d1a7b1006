/**
 * The bus of several processes, over any transport. What is published waits for the end of the turn, and while the packets
 * before it are on their way, so that many messages become few packets. Nothing waits for a connection that is not there.
 *
 * Every process receives its own packets too, and that tells whether the connection is alive both ways: at the start of each
 * connection, and every few seconds, an empty packet must come back. Messages of this process do not take that way: they are
 * handed to its own subscribers directly.
 */
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { randomToken, type Seams } from "../seams.ts";
import type { Bus } from "./bus.ts";
import { createAssembly, decodePacket, encodePacket, type Message, pack, unpack } from "./packets.ts";
import { keepLinked, within } from "./relink.ts";
import { createSubscribers } from "./subscribers.ts";
import type { Link, Transport } from "./transport.ts";

export interface RemoteOptions {
  transport: Transport<string>;
  seams: Seams;
  logger: Logger;
  metrics: Pick<Metrics, "busConnected" | "busPublished" | "busReceived" | "busDropped">;
  /** Whether other processes run with this bus at this address: then it is away, and no setting is wrong. */
  isProven?(): Promise<boolean>;
}

/** Opens the bus with its first connection. Throws StartError where that can not be made and nobody else has it. */
export async function openRemoteBus(options: RemoteOptions): Promise<Bus> {
  const { transport, seams, logger, metrics } = options;
  const subscribers = createSubscribers(logger);
  const receive = (messages: readonly Message[], own: boolean) => {
    for (const { topic, message } of messages) subscribers.tell(topic, message, own);
  };
  const connect = createConnector(options, (messages) => {
    for (const { topic } of messages) metrics.busReceived.inc({ topic });
    receive(messages, false);
  });
  let lost_ms = 0;
  const line = await keepLinked({
    seams,
    connect,
    onLinked() {
      metrics.busConnected.set(1);
      if (lost_ms > 0) logger.warn({ away_ms: Math.round(seams.monotonic_ms() - lost_ms) }, "the bus is back");
    },
    onLost(reason) {
      metrics.busConnected.set(0);
      lost_ms = seams.monotonic_ms();
      const what = `the bus is lost (${transport.name}): until it is back, what is sent on other replicas is up to a second late`;
      logger.warn({ reason: reason.message }, what);
    },
    mayBeginWithout: async () => (await options.isProven?.()) ?? false,
  }).catch((thrown: unknown) => {
    throw unreachable(transport, asError(thrown));
  });
  const outbox = createOutbox({ current: line.current, receive, onDropped: (count) => metrics.busDropped.inc(count) });
  return {
    publish(topic, message) {
      metrics.busPublished.inc({ topic });
      outbox.put({ topic, message });
    },
    subscribe: subscribers.add,
    packet_bytes: transport.packet_bytes,
    async close() {
      subscribers.clear();
      await within(seams, limits.busClose_ms, outbox.sent()).catch(() => {});
      await line.close();
      metrics.busConnected.set(0);
    },
  };
}

/** One connection that has shown that it works. */
interface ProvenLink {
  send(messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

/** Makes connections that send messages under one sender's name, and say when they are dead. */
function createConnector(
  { transport, seams }: Pick<RemoteOptions, "transport" | "seams">,
  onMessages: (messages: Message[]) => void,
) {
  const sender = randomToken(seams, 9);
  let number = 0;
  return async function connect(lose: (reason: Error) => void): Promise<ProvenLink> {
    const assemble = createAssembly({ most: limits.busPartial_senders, most_bytes: limits.busMessage_bytes });
    const pulse = createPulse(seams, lose);
    const { promise: lost, reject } = Promise.withResolvers<never>();
    lost.catch(() => {});
    const onLost = (reason: Error) => {
      reject(reason);
      lose(reason);
    };
    const connecting = transport.connect({
      onLost,
      onPacket(encoded) {
        const packet = decodePacket(encoded);
        if (packet?.sender === sender) return pulse.back(packet.number);
        const text = packet && assemble(packet);
        if (text) onMessages(unpack(text));
      },
    });
    const link = await within(seams, limits.busConnect_ms, connecting).catch((thrown: unknown) => {
      void connecting.then((late) => late.close()).catch(() => {});
      throw thrown;
    });
    const beat = () => {
      number += 1;
      sendOn(link, onLost, [encodePacket({ sender, number, part: 0, parts: 1, text: "" })]).catch(() => {});
      return number;
    };
    const close = () => {
      pulse.stop();
      return link.close();
    };
    try {
      await within(seams, limits.busConnect_ms, Promise.race([pulse.first(beat()), lost]));
    } catch (thrown) {
      void close();
      throw thrown;
    }
    pulse.watch(beat);
    return { send: (messages) => sendOn(link, onLost, encodeAll(messages)), close };
  };

  function encodeAll(messages: readonly Message[]): string[] {
    return pack(messages, transport.packet_bytes).flatMap((texts) => {
      number += 1;
      return texts.map((text, part) => encodePacket({ sender, number, part, parts: texts.length, text }));
    });
  }
}

async function sendOn(link: Link<string>, lose: (reason: Error) => void, packets: readonly string[]): Promise<void> {
  try {
    await link.send(packets);
  } catch (thrown) {
    lose(asError(thrown));
    throw thrown;
  }
}

/** Whether the packets that this process sends come back to it. */
function createPulse(seams: Seams, lose: (reason: Error) => void) {
  let newest = 0;
  let awaited = 0;
  let onBack = () => {};
  const timers: { cancel(): void }[] = [];
  return {
    back(number: number): void {
      newest = Math.max(newest, number);
      if (newest >= awaited) onBack();
    },
    /** Resolves when the packet is back. */
    first: (number: number): Promise<void> =>
      new Promise((resolve) => {
        awaited = number;
        onBack = resolve;
        if (newest >= awaited) resolve();
      }),
    /** From here on a packet that is not back when the next is due means that the connection is dead. */
    watch(beat: () => number): void {
      timers.push(
        seams.every(limits.busBeat_ms, () => {
          if (newest < awaited) return lose(new Error(`no packet came back within ${limits.busBeat_ms / 1_000} s`));
          awaited = beat();
        }),
      );
    },
    stop(): void {
      for (const timer of timers) timer.cancel();
    },
  };
}

interface OutboxOptions {
  current(): ProvenLink | undefined;
  receive(messages: readonly Message[], own: boolean): void;
  onDropped(count: number): void;
}

/** What was published and is not sent yet. Over its limit, and without a connection, it is dropped: hints may be lost. */
function createOutbox({ current, receive, onDropped }: OutboxOptions) {
  let fresh: Message[] = [];
  let waiting: Message[] = [];
  let waiting_bytes = 0;
  let busy: ProvenLink | undefined;
  let sending: Promise<void> = Promise.resolve();

  function drop(): void {
    onDropped(waiting.length);
    waiting = [];
    waiting_bytes = 0;
  }

  function flush(): void {
    const link = current();
    if (!link) return drop();
    if (waiting.length === 0 || busy === link) return;
    busy = link;
    const messages = waiting;
    waiting = [];
    waiting_bytes = 0;
    sending = link.send(messages).then(
      () => done(link),
      () => done(link),
    );
  }

  function done(link: ProvenLink): void {
    // A connection that was replaced while it sent has no say any more.
    if (busy !== link) return;
    busy = undefined;
    if (waiting.length > 0) flush();
  }

  function endOfTurn(): void {
    const messages = fresh;
    fresh = [];
    for (const each of messages) {
      const { length } = each.message;
      if (length > limits.busMessage_bytes) onDropped(1);
      else {
        waiting.push(each);
        waiting_bytes += length;
      }
    }
    if (waiting_bytes > limits.busOutbox_bytes) drop();
    flush();
    receive(messages, true);
  }

  return {
    put(message: Message): void {
      if (fresh.push(message) === 1) setImmediate(endOfTurn);
    },
    /** Resolves when what is on its way has been taken, or is lost with its connection. */
    sent: () => (current() ? sending : Promise.resolve()),
  };
}

/** The reason without what stands in the address: some clients repeat it. */
function unreachable(transport: Transport<string>, thrown: Error): StartError {
  const why = (thrown.message || "the connection was refused")
    .replaceAll(/\w+:\/\/\S+/g, "its address")
    .replace(/\.$/, "");
  return new StartError(
    `The bus can not be reached: ${transport.name} does not answer as it should (${why}). Check ${transport.setting} and that ${transport.name} is running, or set PARLEY_BUS to another bus.`,
    { cause: thrown },
  );
}
