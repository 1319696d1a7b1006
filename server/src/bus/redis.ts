/** Redis publish and subscribe. A connection that listens can not publish, so a link is two of them. */
import { Redis } from "ioredis";
import { limits } from "../limits.ts";
import { valueOf } from "../secrets/address.ts";
import type { Transport } from "./transport.ts";

export function redisTransport({ url, channel }: { url: string; channel: string }): Transport<Buffer> {
  const client = (onLost: (reason: Error) => void) => {
    const redis = new Redis(valueOf(url), {
      lazyConnect: true,
      connectTimeout: limits.busConnect_ms,
      // A link does not mend itself, and nothing waits for one that might.
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResubscribe: false,
    });
    let reason = new Error("the connection ended");
    redis.on("error", (error: Error) => (reason = error));
    redis.on("end", () => onLost(reason));
    return redis;
  };
  return {
    name: "Redis",
    setting: "REDIS_URL",
    packet_bytes: 262_144,
    async connect({ onPacket, onLost }) {
      let closed = false;
      const onEnd = (reason: Error) => {
        if (!closed) onLost(reason);
      };
      const clients = [client(onEnd), client(onEnd)] as const;
      const [publisher, subscriber] = clients;
      const close = async () => {
        closed = true;
        for (const each of clients) each.disconnect();
      };
      try {
        await Promise.all(clients.map((each) => each.connect()));
        subscriber.on("messageBuffer", (_channel: Buffer, packet: Buffer) => onPacket(packet));
        await subscriber.subscribe(channel);
      } catch (thrown) {
        await close();
        throw thrown;
      }
      return {
        async send(packets) {
          const results = await publisher.pipeline(packets.map((packet) => ["publish", channel, packet])).exec();
          for (const [error] of results ?? []) if (error) throw error;
        },
        close,
      };
    },
  };
}
