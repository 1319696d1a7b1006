/**
 * A new key for what leaves for a broker, without one packet that somebody can not open: publish the next key, seal with it
 * when every process knows it, and retire the old one when nothing that it sealed is on its way.
 */
import { wrapBusKey } from "../bus/key-ring.ts";
import { connectOwner } from "../db/database.ts";
import { StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { pause, type Seams } from "../seams.ts";
import type { MasterKeys } from "../secrets/master-keys.ts";

export interface RotateBus {
  /** DATABASE_URL. */
  address: string | undefined;
  seams: Seams;
  /** Where the database has keys wrapped: what with. */
  masterKeys?: MasterKeys | undefined;
  /** Told of each step. */
  say(text: string): void;
  /** How long every process takes to have read the ring again. */
  wait_ms?: number;
}

/** Cut short anywhere, the next rotation goes on from there. Throws StartError with the embedded database. */
export async function rotateBus(rotation: RotateBus): Promise<void> {
  const { address, seams, masterKeys, say, wait_ms = 2 * limits.busKeys_ms } = rotation;
  if (address === undefined)
    throw new StartError("With the embedded database there is one process, and nothing of the bus leaves it.");
  const client = await connectOwner(address, "parley rotate");
  try {
    const key = Buffer.from(seams.randomBytes(32));
    const kept = masterKeys ? wrapBusKey(key, masterKeys) : key;
    await client.query("update log.installation set bus_key_next = coalesce(bus_key_next, $1)", [kept]);
    say("published: every process opens what the next key seals");
    await pause(seams, wait_ms);
    await client.query(
      "update log.installation set bus_key_before = bus_key, bus_key = bus_key_next, bus_key_next = null",
    );
    say("changed: every process seals with it");
    await pause(seams, wait_ms);
    await client.query("update log.installation set bus_key_before = null");
    say("retired: the key before is of no use any more");
  } finally {
    await client.end();
  }
}
