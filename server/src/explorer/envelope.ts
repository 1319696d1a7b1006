/**
 * How the password of a saved connection is kept: sealed (AES-256-GCM) with a data key that is made for this row and this version of
 * it, and the data key wrapped with the first of the master keys (secrets/master-keys.ts). What the row says of the connection is
 * authenticated with the password: a row that was given another host, or another row's password, opens no more.
 *
 * `sealed` is a nonce of 12 bytes, the ciphertext, and its tag of 16 bytes.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { matrixError, StartError } from "../errors.ts";
import type { Seams } from "../seams.ts";
import { isWrapped, type MasterKeys, wrappedWith } from "../secrets/master-keys.ts";
import type { Identity, SavedConnection } from "./credentials/store.ts";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealing {
  masterKeys: Pick<MasterKeys, "wrap">;
  seams: Pick<Seams, "randomBytes">;
}

export type Sealed = Pick<SavedConnection, "wrappedKey" | "masterKey" | "sealed">;

export function sealPassword(identity: Identity, password: string, { masterKeys, seams }: Sealing): Sealed {
  const key = Buffer.from(seams.randomBytes(KEY_BYTES));
  const nonce = seams.randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(boundTo(identity));
  const sealed = Buffer.concat([nonce, cipher.update(password, "utf8"), cipher.final(), cipher.getAuthTag()]);
  const wrappedKey = masterKeys.wrap(key, purposeOf(identity.id));
  return { wrappedKey, masterKey: wrappedWith(wrappedKey), sealed };
}

/** Throws M_BAD_STATE with a sentence that says what to do; never with anything of the password. */
export function openPassword(saved: SavedConnection, masterKeys: Pick<MasterKeys, "unwrap">): string {
  const key = openKey(saved, masterKeys);
  const { sealed } = saved;
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(saved)).setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
  } catch {
    throw changed(saved);
  }
}

/** The data key again, wrapped with the first master key. */
export function rewrapKey(saved: SavedConnection, masterKeys: Pick<MasterKeys, "wrap" | "unwrap">): Buffer {
  return masterKeys.wrap(openKey(saved, masterKeys), purposeOf(saved.id));
}

function openKey(saved: SavedConnection, masterKeys: Pick<MasterKeys, "unwrap">): Buffer {
  if (!isWrapped(saved.wrappedKey)) throw changed(saved);
  let key;
  try {
    key = masterKeys.unwrap(saved.wrappedKey, purposeOf(saved.id));
  } catch (thrown) {
    // Two reasons, and only one has a cause: the key is known, and what it wrapped was changed.
    if (!(thrown instanceof StartError) || thrown.cause !== undefined) throw changed(saved);
    throw matrixError(
      "M_BAD_STATE",
      `The password of "${saved.name}" is wrapped with the master key ${wrappedWith(saved.wrappedKey)}, which this server does not have. Put that key back as the last line of MASTER_ENCRYPTION_KEY, or save the password again.`,
    );
  }
  if (key.length !== KEY_BYTES) throw changed(saved);
  return key;
}

function changed({ name }: SavedConnection) {
  return matrixError(
    "M_BAD_STATE",
    `The saved password of "${name}" does not belong to this connection as it is: it was changed where it is kept. Save the password again.`,
  );
}

function purposeOf(id: string): string {
  return `explorer connection ${id}`;
}

/** JSON, so that no two identities have one text. */
function boundTo({ owner, id, host, port, database, user, tls, ca }: Identity): Buffer {
  return Buffer.from(JSON.stringify(["explorer connection", owner, id, host, port, database, user, tls, ca]));
}
