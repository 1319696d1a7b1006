/**
 * Master keys: what the keys that Parley keeps in its database are wrapped with, so that a copy of the database opens nothing. They
 * are one secret of a provider with a key on each line, 32 bytes in base64 or hexadecimal: the first wraps, all of them unwrap.
 *
 * Another key comes in by being the second line first, so that every process knows it (published), then the first (changed;
 * whoever keeps wrapped keys wraps them again), and the old one goes when nothing is wrapped with it (retired).
 *
 * A wrapped key is `PK` and the byte 1, 8 bytes that name the master key, a nonce of 12 bytes, the AES-256-GCM ciphertext, and its tag of
 * 16 bytes. What it is for is authenticated with it: a key can not be put in another's place.
 */
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { asError, StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import type { SecretsConfig } from "./config.ts";
import { openSecrets } from "./open.ts";

export interface MasterKeys {
  /** `purpose` says what the key is for, such as `bus`. */
  wrap(key: Buffer, purpose: string): Buffer;
  /** Throws StartError where no master key opens it, or it is for something else. */
  unwrap(wrapped: Buffer, purpose: string): Buffer;
  /** Whether it is wrapped with the master key that wraps now. */
  isCurrent(wrapped: Buffer): boolean;
  close(): void;
}

const MAGIC = Buffer.from("PK\u0001");
const NAME_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CIPHER = "aes-256-gcm";
const OVERHEAD_BYTES = MAGIC.length + NAME_BYTES + NONCE_BYTES + TAG_BYTES;

interface MasterKey {
  name: Buffer;
  key: Buffer;
}

export function isWrapped(key: Buffer): boolean {
  return key.length > OVERHEAD_BYTES && key.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Which master key it is wrapped with, as hexadecimal: a name, and nothing that helps to find the key. */
export function wrappedWith(wrapped: Buffer): string {
  return wrapped.subarray(MAGIC.length, MAGIC.length + NAME_BYTES).toString("hex");
}

/** What `wrappedWith` tells of what is wrapped now. */
export function nameOfFirst({ wrap }: Pick<MasterKeys, "wrap">): string {
  return wrappedWith(wrap(Buffer.alloc(KEY_BYTES), "its name"));
}

/** The keys of a secret, the one that wraps first. Throws StartError, which names the setting, where a line is none. */
export function parseMasterKeys(text: string, setting = "AUTH_KEY_SECRET_NAME"): readonly MasterKey[] {
  const lines = text.split(/\s+/).filter((line) => line !== "");
  const keys = lines.map((line) => Buffer.from(line, /^[0-9a-f]{64}$/i.test(line) ? "hex" : "base64"));
  if (keys.length === 0 || keys.some((key) => key.length !== KEY_BYTES))
    throw new StartError(
      `The secret of ${setting} has a line that is no key: a key is 32 random bytes in base64 (openssl rand -base64 32).`,
    );
  return keys.map((key) => ({
    key,
    name: createHash("sha256").update("parley master key").update(key).digest().subarray(0, NAME_BYTES),
  }));
}

/** Keys that are there already; `current` says which, at each moment. */
export function masterKeysOf(current: () => readonly MasterKey[], seams: Pick<Seams, "randomBytes">) {
  const first = () => current()[0] as MasterKey;
  return {
    wrap(key: Buffer, purpose: string) {
      const master = first();
      const nonce = seams.randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, master.key, nonce).setAAD(Buffer.from(purpose));
      return Buffer.concat([MAGIC, master.name, nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap(wrapped: Buffer, purpose: string) {
      const master = current().find(({ name }) => name.toString("hex") === wrappedWith(wrapped));
      if (!isWrapped(wrapped) || !master)
        throw new StartError(
          `A key in the database is wrapped with the master key ${wrappedWith(wrapped)}, which the secret of AUTH_KEY_SECRET_NAME does not have: put it back as its last line.`,
        );
      return open(wrapped.subarray(MAGIC.length + NAME_BYTES), master.key, purpose);
    },
    isCurrent: (wrapped: Buffer) => isWrapped(wrapped) && wrappedWith(wrapped) === first().name.toString("hex"),
  };
}

function open(sealed: Buffer, key: Buffer, purpose: string): Buffer {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (thrown) {
    throw new StartError(`A key in the database (${purpose}) was changed: restore it from a backup.`, {
      cause: thrown,
    });
  }
}

export interface OpenMasterKeysOptions {
  config: SecretsConfig;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/**
 * Reads the master keys, and follows them; undefined where the settings want none. Throws StartError where they can not be had. A
 * later value that is no list of keys is not taken.
 */
export async function openMasterKeys({
  config,
  seams,
  logger,
}: OpenMasterKeysOptions): Promise<MasterKeys | undefined> {
  if (!config.masterKeys) return undefined;
  const { provider, secretName } = config.masterKeys;
  const secrets = await openSecrets({ provider, refresh_ms: config.refresh_ms, seams, logger });
  try {
    let keys: readonly MasterKey[] = [];
    const { value } = await secrets.watch(secretName, (text) => {
      try {
        keys = parseMasterKeys(text);
      } catch (thrown) {
        logger.warn({ reason: asError(thrown).message }, "the master keys that are known stay");
      }
    });
    keys = parseMasterKeys(value);
    return { ...masterKeysOf(() => keys, seams), close: () => secrets.close() };
  } catch (thrown) {
    secrets.close();
    if (thrown instanceof StartError) throw thrown;
    throw new StartError(`${asError(thrown).message} Check AUTH_KEY_SECRET_NAME.`, { cause: thrown });
  }
}
