/**
 * The keys with which packets for a broker are sealed: a ring in the database, of which a rotation (cli/rotate-bus.ts) publishes
 * the next key, seals with it once every process knows it, and retires the one before when nothing that it sealed is on its way.
 *
 * With master keys (secrets/master-keys.ts) the database has them wrapped. One that is not, or with an older master key, is wrapped by
 * whichever process comes upon it.
 */
import type { Db } from "../db/database.ts";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import { isWrapped, type MasterKeys } from "../secrets/master-keys.ts";

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
  db: Pick<Db, "one" | "change">;
  seams: Seams;
  logger: Pick<Logger, "warn">;
  /** What the keys are wrapped with; undefined where they are not. */
  masterKeys?: MasterKeys | undefined;
}

/** Reads the ring, and again every `limits.busKeys_ms`. */
export async function openKeyRing({ db, seams, logger, masterKeys }: KeyRingOptions): Promise<KeyRing> {
  let keys = await readKeys(db, masterKeys);
  const look = () =>
    readKeys(db, masterKeys).then(
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

/** What the wrapped keys are for, so that nothing else that is wrapped opens in their place. */
const PURPOSE = "bus";

/** A key as the database keeps it. */
export function wrapBusKey(key: Buffer, masterKeys: MasterKeys): Buffer {
  return masterKeys.wrap(key, PURPOSE);
}

type Place = keyof Keys;

async function readKeys(db: KeyRingOptions["db"], masterKeys: MasterKeys | undefined): Promise<Keys> {
  const kept = await db.one<Keys>(
    "select bus_key as current, bus_key_next as next, bus_key_before as before from log.installation",
  );
  if (!kept) throw new Error("log.installation has no row");
  const open = async (place: Place) => {
    const key = kept[place];
    if (key === null) return null;
    const opened = unwrapped(key, masterKeys);
    if (masterKeys && !masterKeys.isCurrent(key)) await rewrap(db, place, [key, wrapBusKey(opened, masterKeys)]);
    return opened;
  };
  return { current: (await open("current")) as Buffer, next: await open("next"), before: await open("before") };
}

function unwrapped(key: Buffer, masterKeys: MasterKeys | undefined): Buffer {
  if (!isWrapped(key)) return key;
  if (masterKeys) return masterKeys.unwrap(key, PURPOSE);
  throw new StartError(
    "The keys in the database are wrapped with master keys: set AUTH_KEY_STORAGE_BACKEND to secret-manager, and the provider that has them.",
  );
}

const REWRAP: Readonly<Record<Place, string>> = {
  current: "update log.installation set bus_key = $2 where bus_key = $1",
  next: "update log.installation set bus_key_next = $2 where bus_key_next = $1",
  before: "update log.installation set bus_key_before = $2 where bus_key_before = $1",
};

/** Where another process, or a rotation, was there first, nothing changes. */
async function rewrap(
  db: KeyRingOptions["db"],
  place: Place,
  change: readonly [from: Buffer, to: Buffer],
): Promise<void> {
  await db.change(REWRAP[place], change);
}
