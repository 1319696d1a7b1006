/**
 * The keys with which packets for a broker are sealed: a ring in the database, of which a rotation (cli/rotate-bus.ts) publishes
 * the next key, seals with it once every process knows it, and retires the one before when nothing that it sealed is on its way.
 */
import type { Db } from "../db/database.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";

export interface KeyRing {
  /** What this process seals with. 32 bytes, as each of them. */
  sealing(): Buffer;
  /** What others may have sealed with, the likeliest first. */
  opening(): readonly Buffer[];
  close(): void;
}

/** A ring of one key. */
export function fixedKey(key: Buffer): KeyRing {
  return { sealing: () => key, opening: () => [key], close: () => {} };
}

interface Keys {
  current: Buffer;
  next: Buffer | null;
  before: Buffer | null;
}

export interface KeyRingOptions {
  db: Pick<Db, "one">;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Reads the ring, and again every `limits.busKeys_ms`. */
export async function openKeyRing({ db, seams, logger }: KeyRingOptions): Promise<KeyRing> {
  let keys = await readKeys(db);
  const look = () =>
    readKeys(db).then(
      (latest) => {
        keys = latest;
      },
      (thrown: unknown) => logger.warn({ reason: asError(thrown).message }, "the keys of the bus could not be read"),
    );
  const looking = seams.every(limits.busKeys_ms, () => void look());
  return {
    sealing: () => keys.current,
    opening: () => [keys.current, keys.next, keys.before].filter((key) => key !== null),
    close: () => looking.cancel(),
  };
}

async function readKeys(db: Pick<Db, "one">): Promise<Keys> {
  const keys = await db.one<Keys>(
    "select bus_key as current, bus_key_next as next, bus_key_before as before from log.installation",
  );
  if (!keys) throw new Error("log.installation has no row");
  return keys;
}
