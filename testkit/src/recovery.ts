// An account's identity, and the recovery key that brings it and its messages to a new device.
// Specification: client-server-api, "Cross-signing", "Secret storage", "Server-side key backups".

import type { GeneratedSecretStorageKey } from "matrix-js-sdk/lib/crypto-api/index.js";
import * as sdk from "matrix-js-sdk";
import type { Device } from "./device.ts";

/** Makes the account's cross-signing keys, its secret storage and a backup; gives the recovery key as people see it. */
export async function setUpRecovery(device: Device): Promise<string> {
  const { crypto } = device;
  const made: GeneratedSecretStorageKey = await crypto.createRecoveryKeyFromPassphrase();
  const recoveryKey = made.encodedPrivateKey as string;
  device.useRecoveryKey(recoveryKey);
  await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (send) => withPassword(device, send) });
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => made,
    setupNewSecretStorage: true,
    setupNewKeyBackup: true,
  });
  return recoveryKey;
}

/** Makes a new device the account's own with the recovery key, and reads the backup; gives how many keys were in it. */
export async function unlock(device: Device, recoveryKey: string): Promise<number> {
  const { crypto } = device;
  device.useRecoveryKey(recoveryKey);
  // The private keys are compared with the public ones, which must be here for that.
  await crypto.userHasCrossSigningKeys(device.userId, true);
  await crypto.bootstrapCrossSigning({});
  await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
  return (await crypto.restoreKeyBackup()).imported;
}

/** Waits until every message key that the device has is in the backup. */
export async function backedUp(device: Device): Promise<void> {
  await device.until("its keys are in the backup", async () => {
    // What the SDK knows of the backup is what it was when it was made.
    const { count } = await device.plain.call("GET", "/_matrix/client/v3/room_keys/version");
    const { length } = await device.crypto.exportRoomKeys();
    return count === length;
  });
}

/** Makes a request, and again with the account's password where the server asks who is there. */
export async function withPassword<T>(device: Device, send: (auth: sdk.AuthDict | null) => Promise<T>): Promise<T> {
  try {
    return await send(null);
  } catch (thrown) {
    if (!(thrown instanceof sdk.MatrixError) || thrown.httpStatus !== 401) throw thrown;
    const { session } = thrown.data as { session: string };
    const identifier = { type: "m.id.user", user: device.userId };
    return send({ type: "m.login.password", identifier, password: device.password, session });
  }
}
