/**
 * What a device still needs before it can read and be trusted.
 *
 * - `create`: the account has no recovery yet: no cross-signing keys, or no secret storage to get them back from.
 * - `unlock`: the account has both, and this device has not received its keys.
 * - `nothing`: this device is signed by its owner and knows the key of the backup.
 */
import type { MatrixClient } from "matrix-js-sdk";

export type EncryptionNeed = "nothing" | "create" | "unlock";

/** The facts that decide; each is one question to the SDK. */
export interface EncryptionFacts {
  /** The account has published cross-signing keys. */
  accountHasKeys: boolean;
  /** This device is signed by those keys, and trusts them. */
  deviceVerified: boolean;
  /** The account has a default secret storage key, which is what a recovery key opens. */
  hasRecoveryKey: boolean;
  /** There is a key backup on the server. */
  backupExists: boolean;
  /** This device can read that backup. */
  backupReadable: boolean;
}

export function needOf(facts: EncryptionFacts): EncryptionNeed {
  if (!facts.accountHasKeys) return "create";
  if (!facts.deviceVerified) return "unlock";
  if (!facts.hasRecoveryKey) return "create";
  return facts.backupExists && !facts.backupReadable ? "unlock" : "nothing";
}

/**
 * The facts as this device knows them. Throws what the requests throw.
 *
 * It does not ask the server for the account's keys: an answer with the old keys, while new ones are being published,
 * makes the crypto machine throw the new ones away.
 */
export async function encryptionFacts(client: MatrixClient): Promise<EncryptionFacts> {
  const crypto = client.getCrypto();
  if (!crypto) throw new Error("the client has no crypto");
  const { publicKeysOnDevice: accountHasKeys } = await crypto.getCrossSigningStatus();
  const device = await crypto.getDeviceVerificationStatus(client.getSafeUserId(), client.getDeviceId() ?? "");
  const backup = await crypto.getKeyBackupInfo();
  const trust = backup ? await crypto.isKeyBackupTrusted(backup) : null;
  return {
    accountHasKeys,
    deviceVerified: device?.crossSigningVerified ?? false,
    hasRecoveryKey: (await client.secretStorage.getDefaultKeyId()) !== null,
    backupExists: backup !== null,
    backupReadable: trust?.matchesDecryptionKey ?? false,
  };
}

/** What a device that has just signed in needs, after asking the server which keys the account has. */
export async function encryptionNeed(client: MatrixClient): Promise<EncryptionNeed> {
  await client.getCrypto()?.userHasCrossSigningKeys();
  return needOf(await encryptionFacts(client));
}
