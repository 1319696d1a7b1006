/**
 * One connection to RabbitMQ with one channel, opened again whenever either of them ends. A link is *away* (no channel) or *up*;
 * whatever goes wrong on the channel or the connection makes it away, and the next attempt comes after a growing pause.
 */
import { connect, type ChannelModel, type ConfirmChannel } from "amqplib";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { pause, type Seams } from "../seams.ts";
import { valueOf } from "../secrets/address.ts";

export interface Link {
  /** The channel; undefined while the link is away. */
  channel(): ConfirmChannel | undefined;
  /** Resolves after the first attempt, whether it succeeded or not. */
  tried: Promise<void>;
  /** Gives the connection up and makes another: its other end does not answer any more. */
  renew(): void;
  close(): Promise<void>;
}

export interface LinkOptions {
  url: string;
  seams: Seams;
  /** Prepares each new channel. */
  setUp(channel: ConfirmChannel): Promise<void>;
  onTrouble(thrown: unknown): void;
}

interface Up {
  connection: ChannelModel;
  channel: ConfirmChannel;
  /** Resolves when the channel or the connection has ended, with the reason if there is one. */
  ended: Promise<unknown>;
  end(): void;
}

/** Opens the link; it is up when its server answers. */
export function openLink(options: LinkOptions): Link {
  const { seams, onTrouble } = options;
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  let up: Up | undefined;

  async function stayUp(): Promise<void> {
    let failures = 0;
    while (!closing.signal.aborted) {
      try {
        const opened = await openChannel(options);
        failures = 0;
        if (!closing.signal.aborted) {
          up = opened;
          tried.resolve();
          const reason = await opened.ended;
          if (reason && !closing.signal.aborted) onTrouble(reason);
        }
        up = undefined;
        // Closing the connection alone would overtake what the channel still has to say, such as acknowledgements.
        await inTime(seams, opened.channel.close());
        await inTime(seams, opened.connection.close());
      } catch (thrown) {
        onTrouble(thrown);
      }
      tried.resolve();
      await pause(seams, pauseOf(seams, failures++), closing.signal).catch(() => {});
    }
  }

  const ran = stayUp();
  return {
    channel: () => up?.channel,
    tried: tried.promise,
    renew: () => up?.end(),
    async close() {
      closing.abort(new Error("the queue is closing"));
      up?.end();
      await ran;
    },
  };
}

async function openChannel({ url, setUp, seams }: LinkOptions): Promise<Up> {
  const connection = await connect(valueOf(url), { timeout: limits.queueConnect_ms });
  const ended = Promise.withResolvers<unknown>();
  connection.on("error", (error) => ended.resolve(error));
  connection.on("close", (error) => ended.resolve(error ?? new Error("the connection was closed")));
  try {
    const channel = await connection.createConfirmChannel();
    channel.on("error", (error) => ended.resolve(error));
    channel.on("close", () => ended.resolve(new Error("the channel was closed")));
    await setUp(channel);
    return { connection, channel, ended: ended.promise, end: () => ended.resolve(undefined) };
  } catch (thrown) {
    await inTime(seams, connection.close());
    throw asError(thrown);
  }
}

/** Waits for a goodbye, but not for a broker that does not answer: then the connection is left to itself. */
export async function inTime(seams: Seams, goodbye: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = seams.after(limits.queueGoodbye_ms, late.resolve);
  // What has ended already can not be closed.
  await Promise.race([goodbye.catch(() => {}), late.promise]);
  timer.cancel();
}

/** Doubles from 100 ms to 5 s; the chance in it keeps replicas from coming back all at once. */
function pauseOf(seams: Seams, failures: number): number {
  const longest_ms = Math.min(100 * 2 ** failures, 5_000);
  return longest_ms / 2 + seams.randomInt(Math.ceil(longest_ms / 2));
}
