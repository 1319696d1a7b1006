/**
 * Giving a new device the account's keys: from secret storage with the recovery key, or from another device that
 * verified this one. Both end with the message keys of the backup.
 */
import type { MatrixClient } from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/CryptoEvent.js";
import type { ImportRoomKeyProgressData } from "matrix-js-sdk/lib/crypto-api/index.js";
import type { KeyBytes } from "./recoveryKey.ts";
import { encryptionFacts } from "./need.ts";
import { forgetSecretKeys, rememberSecretKey } from "./secretKeys.ts";
import { cryptoOf } from "./setup.ts";

/** How long another device may take to send the secrets after it verified this one. */
const SECRETS_TIMEOUT_MS = 30_000;

/**
 * Makes this device a trusted one with a key that `judgeRecoveryKey` found right, and opens the backup.
 *
 * @throws what the requests throw; nothing is half done, it can be called again.
 */
export async function unlockWithKey(client: MatrixClient, right: { keyId: string; key: KeyBytes }): Promise<void> {
  const crypto = cryptoOf(client);
  rememberSecretKey(right.keyId, right.key.slice());
  try {
    await crypto.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: () =>
        Promise.reject(new Error("the secret storage of this account has no cross-signing keys")),
    });
    if (await crypto.getKeyBackupInfo()) await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
    await crypto.checkKeyBackupAndEnable();
  } finally {
    forgetSecretKeys();
  }
}

/**
 * Waits until the device that verified this one has sent the keys. The SDK asks for them by itself.
 *
 * @returns false when the backup's key did not come in time; the device is verified all the same.
 */
export async function waitForSecrets(client: MatrixClient): Promise<boolean> {
  const arrived = async () => {
    const facts = await encryptionFacts(client);
    return facts.deviceVerified && (facts.backupReadable || !facts.backupExists);
  };
  const timeout = AbortSignal.timeout(SECRETS_TIMEOUT_MS);
  while (!(await arrived())) {
    if (timeout.aborted) return false;
    await nextKeyEvent(client, timeout);
  }
  return true;
}

export interface RestoreProgress {
  done: number;
  /** Zero while the keys are being fetched. */
  total: number;
}

/** Reads all message keys of the backup into this device. Messages decrypt while it runs; leaving the screen does not stop it. */
export async function restoreBackup(
  client: MatrixClient,
  onProgress: (progress: RestoreProgress) => void,
): Promise<number> {
  const progressCallback = (progress: ImportRoomKeyProgressData) => {
    if ("total" in progress) onProgress({ done: progress.successes + progress.failures, total: progress.total });
  };
  const crypto = cryptoOf(client);
  if (!(await crypto.getKeyBackupInfo())) return 0;
  const { imported } = await crypto.restoreKeyBackup({ progressCallback });
  return imported;
}

/** Resolves at the next sign of news about keys, or at the timeout. */
function nextKeyEvent(client: MatrixClient, timeout: AbortSignal): Promise<void> {
  const events = [
    CryptoEvent.KeysChanged,
    CryptoEvent.KeyBackupDecryptionKeyCached,
    CryptoEvent.DevicesUpdated,
  ] as const;
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) client.off(event, done);
      timeout.removeEventListener("abort", done);
      resolve();
    };
    for (const event of events) client.on(event, done);
    timeout.addEventListener("abort", done);
  });
}
