/** NATS core publish and subscribe, without JetStream: hints are not kept. */
import { connect } from "@nats-io/transport-node";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { valueOf } from "../secrets/address.ts";
import type { Transport } from "./transport.ts";

export function natsTransport({ url, channel }: { url: string; channel: string }): Transport<Buffer> {
  return {
    name: "NATS",
    setting: "NATS_URL",
    // A quarter of what a server takes unless it is told otherwise.
    packet_bytes: 262_144,
    async connect({ onPacket, onLost }) {
      const connection = await connect({
        ...addressOf(url),
        name: "parley",
        reconnect: false,
        timeout: limits.busConnect_ms,
        noAsyncTraces: true,
      });
      let closed = false;
      void connection.closed().then((error) => {
        if (!closed) onLost(error ? asError(error) : new Error("the connection ended"));
      });
      const fail = (error: Error) => {
        if (!closed) onLost(error);
      };
      connection.subscribe(channel, {
        callback: (error, message) =>
          error
            ? fail(error)
            : onPacket(Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length)),
      });
      return {
        async send(packets) {
          for (const packet of packets) connection.publish(channel, packet);
          await connection.flush();
        },
        async close() {
          closed = true;
          await connection.close();
        },
      };
    },
  };
}

/** The client takes no name and password out of an address. A name without a password is a token. */
function addressOf(url: string) {
  const { protocol, host, username, password } = new URL(valueOf(url));
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  return {
    servers: host,
    ...(user === "" ? {} : pass === "" ? { token: user } : { user, pass }),
    ...(protocol === "tls:" ? { tls: {} } : {}),
  };
}
