/** RabbitMQ: a fanout exchange, and for each process a queue of its own that goes when its connection does. */
import { connect } from "amqplib";
import { limits } from "../limits.ts";
import { valueOf } from "../secrets/address.ts";
import type { Transport } from "./transport.ts";

export function rabbitmqTransport({ url, channel: exchange }: { url: string; channel: string }): Transport<Buffer> {
  return {
    name: "RabbitMQ",
    setting: "RABBITMQ_URL",
    packet_bytes: 262_144,
    async connect({ onPacket, onLost }) {
      const connection = await connect(valueOf(url), { timeout: limits.busConnect_ms, noDelay: true });
      let closed = false;
      let reason = new Error("the connection ended");
      const lost = () => {
        if (!closed) onLost(reason);
      };
      const close = async () => {
        closed = true;
        await connection.close().catch(() => {});
      };
      connection.on("error", (error) => (reason = error));
      connection.on("close", lost);
      try {
        const channel = await connection.createChannel();
        channel.on("error", (error) => (reason = error));
        channel.on("close", lost);
        await channel.assertExchange(exchange, "fanout", { durable: false, autoDelete: true });
        const { queue } = await channel.assertQueue("", {
          exclusive: true,
          autoDelete: true,
          durable: false,
          // A process that does not read loses the oldest hints, and the broker no memory.
          arguments: { "x-max-length": limits.busQueue_packets, "x-overflow": "drop-head" },
        });
        await channel.bindQueue(queue, exchange, "");
        await channel.consume(queue, (message) => (message ? onPacket(message.content) : lost()), { noAck: true });
        return {
          async send(packets) {
            let mayGoOn = true;
            for (const packet of packets) mayGoOn = channel.publish(exchange, "", packet);
            if (!mayGoOn) await new Promise<void>((resolve) => void channel.once("drain", resolve));
          },
          close,
        };
      } catch (thrown) {
        await close();
        throw thrown;
      }
    },
  };
}
