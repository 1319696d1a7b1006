/**
 * LISTEN and NOTIFY of PostgreSQL, so that PostgreSQL alone is a complete cluster. A notification carries less than 8,000
 * bytes; what is larger goes in parts. Channels belong to a database, so the packets are where their contents are already.
 */
import { type Dedicated, openDedicated } from "../db/dedicated.ts";
import type { Transport } from "./transport.ts";

const CHANNEL = "parley_bus";

export function postgresqlTransport({ url }: { url: string }): Transport<string> {
  return {
    name: "PostgreSQL",
    setting: "DATABASE_URL",
    packet_bytes: 7_990,
    async connect({ onPacket, onLost }) {
      const connection = await openDedicated({
        url,
        name: "parley bus",
        role: "log",
        // A notification writes a commit record; a hint need not wait for the disk.
        settings: { synchronous_commit: "off", plan_cache_mode: "force_generic_plan" },
        onNotification: onPacket,
        onLost,
      });
      try {
        await connection.query(`listen ${CHANNEL}`);
      } catch (thrown) {
        await connection.close();
        throw thrown;
      }
      return { send: (packets) => notify(connection, packets), close: connection.close };
    },
  };
}

/** All in one statement and one transaction, which keeps their order and takes the lock of NOTIFY once. */
async function notify(connection: Dedicated, packets: readonly string[]): Promise<void> {
  await connection.query(`select pg_notify('${CHANNEL}', packet) from unnest($1::text[]) as packet`, [packets]);
}
