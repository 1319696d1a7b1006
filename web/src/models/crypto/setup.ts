/**
 * Giving an account its keys, in two halves.
 *
 * `prepareIdentity` publishes the cross-signing keys; the device that does it holds their private halves, so nothing
 * is lost when the person stops there. `storeUnderRecoveryKey` puts them, and the key of a new backup, into secret
 * storage, and comes only after the person has shown that the recovery key was saved: a secret storage whose key
 * nobody has would be worse than none.
 */
import type { MatrixClient } from "matrix-js-sdk";
import type { CryptoApi, GeneratedSecretStorageKey } from "matrix-js-sdk/lib/crypto-api/index.js";
import { withPassword } from "../session/uia.ts";
import { forgetSecretKeys } from "./secretKeys.ts";

/** Makes a recovery key. It is known to nobody until it is stored, and to this tab only. */
export function makeRecoveryKey(client: MatrixClient): Promise<GeneratedSecretStorageKey> {
  return cryptoOf(client).createRecoveryKeyFromPassphrase();
}

/** Publishes cross-signing keys if the account has none, and signs this device with them. May ask for the password. */
export async function prepareIdentity(client: MatrixClient): Promise<void> {
  const crypto = cryptoOf(client);
  const accountHasKeys = await crypto.userHasCrossSigningKeys();
  if (accountHasKeys && (await holdsPrivateKeys(client))) return;
  // New keys would replace an identity: that is `reset.ts`, never this.
  if (accountHasKeys) throw new Error("this device does not have your keys; unlock it first");
  await crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: (send) => withPassword({ client, purpose: "set up encryption" }, send),
  });
}

/** Whether this device holds the private halves of all three cross-signing keys. */
export async function holdsPrivateKeys(client: MatrixClient): Promise<boolean> {
  const { privateKeysCachedLocally: keys } = await cryptoOf(client).getCrossSigningStatus();
  return keys.masterKey && keys.selfSigningKey && keys.userSigningKey;
}

export type StoreStep = "identity" | "backup";

/**
 * Stores this device's keys under `recoveryKey` and makes sure that there is a backup of message keys.
 *
 * @param onStep told before each part.
 * @throws what the requests throw; it can be called again with the same key.
 */
export async function storeUnderRecoveryKey(
  client: MatrixClient,
  recoveryKey: GeneratedSecretStorageKey,
  onStep: (step: StoreStep) => void,
): Promise<void> {
  const crypto = cryptoOf(client);
  try {
    onStep("identity");
    await prepareIdentity(client);
    await crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => recoveryKey,
      setupNewSecretStorage: true,
    });
    onStep("backup");
    const backup = await crypto.checkKeyBackupAndEnable();
    if (!backup?.trustInfo.matchesDecryptionKey) await crypto.resetKeyBackup();
  } finally {
    forgetSecretKeys();
  }
}

/** The name that a recovery key carries in the account, so that a person can tell which one is meant. */
export function recoveryKeyName(deviceName: string, now: Date): string {
  const day = now.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  return `${deviceName}, ${day}`;
}

/** The crypto of a client that has been opened. */
export function cryptoOf(client: MatrixClient): CryptoApi {
  const crypto = client.getCrypto();
  if (!crypto) throw new Error("the client has no crypto");
  return crypto;
}
