/**
 * The keys that sign access tokens: a ring in the database, which every process reads again every `limits.signingKeysRead_ms`.
 *
 *   published  it is in the ring and in the JWKS, and does not sign yet, for `limits.signingKeyPublished_ms`: every process and
 *              everybody who keeps a copy of the JWKS knows it before there is a token of it
 *   signing    the newest whose time has come, until the next one's has
 *   retired    for `limits.signingKeyKept_ms`, which is longer than any token that it signed lives; then it is gone
 *
 * The states follow from `signs_from` and the time of the database alone, so there is nothing that a replica could miss.
 */
import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { generateKeyPair } from "node:crypto";
import type { Db } from "../../db/database.ts";
import { limits } from "../../limits.ts";
import { isWrapped, type MasterKeys } from "../../secrets/master-keys.ts";
import { randomToken, type Seams } from "../../seams.ts";

export const SIGNING_ALGORITHM = "ES256";
/** What wrapped keys are for, so that nothing else that is wrapped opens in their place. */
const PURPOSE = "access tokens";
const KID_BYTES = 12;

export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  /** With `kid`, `alg` and `use`. */
  publicKey: JsonWebKey;
}

/** As of one reading. */
export interface Ring {
  signing: SigningKey;
  /** The signing one first, then the others, the newest first. */
  keys: readonly SigningKey[];
}

export interface SigningKeys {
  /** The ring, read at most `limits.signingKeysRead_ms` ago. Makes its first key where there is none. */
  ring(): Promise<Ring>;
  /** The key of this name: one that the ring does not have yet is looked for, at most every `limits.signingKeysAsk_ms`. */
  find(kid: string): Promise<SigningKey | undefined>;
  /** Adds the next key where it is time for one. Gives whether it did. */
  rotate(): Promise<boolean>;
}

export interface SigningKeysOptions {
  db: Pick<Db, "query" | "one" | "change">;
  seams: Seams;
  masterKeys: MasterKeys | undefined;
  /** How long each key signs. */
  lifetime_ms: number;
}

export function openSigningKeys(options: SigningKeysOptions): SigningKeys {
  const { db, seams, masterKeys } = options;
  let known: { ring: Promise<Ring>; read_ms: number } | undefined;

  const readAgain = (): Promise<Ring> => {
    const read_ms = seams.monotonic_ms();
    const ring = readRing(db, masterKeys).then(async (found) => {
      if (found) return found;
      await addKey(options);
      const first = await readRing(db, masterKeys);
      if (!first) throw new Error("auth.signing_keys has no key that signs");
      return first;
    });
    const mine = { ring, read_ms };
    known = mine;
    // What failed is asked again at once.
    ring.catch(() => {
      if (known === mine) known = undefined;
    });
    return ring;
  };
  const ring = (most_ms: number = limits.signingKeysRead_ms): Promise<Ring> =>
    known && seams.monotonic_ms() - known.read_ms < most_ms ? known.ring : readAgain();

  return {
    ring: () => ring(),
    async find(kid) {
      const named = (each: Ring) => each.keys.find((key) => key.kid === kid);
      return named(await ring()) ?? named(await ring(limits.signingKeysAsk_ms));
    },
    async rotate() {
      await ring();
      const isAdded = await addKey(options);
      if (isAdded) known = undefined;
      return isAdded;
    },
  };
}

interface KeyRow {
  kid: string;
  private_key: Buffer;
  public_key: JsonWebKey;
  /** Whether its time has come. */
  is_due: boolean;
}

/** Undefined where no key may sign. */
async function readRing(db: SigningKeysOptions["db"], masterKeys: MasterKeys | undefined): Promise<Ring | undefined> {
  const rows = await db.query<KeyRow>(
    "select kid, private_key, public_key, signs_from <= now() as is_due from auth.signing_keys order by signs_from desc, kid",
  );
  const keys = await Promise.all(rows.map((row) => opened(db, row, masterKeys)));
  const at = rows.findIndex((row) => row.is_due);
  const signing = keys[at];
  return signing && { signing, keys: [signing, ...keys.filter((_, i) => i !== at)] };
}

async function opened(
  db: SigningKeysOptions["db"],
  row: KeyRow,
  masterKeys: MasterKeys | undefined,
): Promise<SigningKey> {
  const wrapped = isWrapped(row.private_key);
  if (wrapped && !masterKeys)
    throw new Error("the keys that sign are wrapped with master keys: set AUTH_KEY_STORAGE_BACKEND to secret-manager");
  const der = wrapped && masterKeys ? masterKeys.unwrap(row.private_key, PURPOSE) : row.private_key;
  if (masterKeys && !masterKeys.isCurrent(row.private_key))
    // Where another process was there first, nothing changes.
    await db.change("update auth.signing_keys set private_key = $2 where private_key = $1", [
      row.private_key,
      masterKeys.wrap(der, PURPOSE),
    ]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { kid: row.kid, privateKey, publicKey: row.public_key };
}

async function addKey({ db, seams, masterKeys, lifetime_ms }: SigningKeysOptions): Promise<boolean> {
  const due = await db.one<{ due: boolean }>(
    `select coalesce(max(signs_from) <= now() - $1 * interval '1 millisecond', true) as due from auth.signing_keys`,
    [lifetime_ms],
  );
  if (!due?.due) return false;
  const { privateKey, publicKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const kid = randomToken(seams, KID_BYTES);
  const row = await db.one<{ added: boolean }>("select auth.add_signing_key($1, $2, $3, $4, $5, $6) as added", [
    kid,
    masterKeys ? masterKeys.wrap(der, PURPOSE) : der,
    JSON.stringify({ ...publicKey.export({ format: "jwk" }), kid, alg: SIGNING_ALGORITHM, use: "sig" }),
    lifetime_ms,
    limits.signingKeyPublished_ms,
    limits.signingKeyKept_ms,
  ]);
  return row?.added ?? false;
}
