/** What a view shows of this device's encryption, kept up to date while the client runs. */
import { ClientEvent, type MatrixClient } from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/CryptoEvent.js";
import { create } from "zustand";
import { type EncryptionFacts, encryptionFacts } from "./need.ts";
import { cryptoOf } from "./setup.ts";

export interface EncryptionStatus {
  facts: EncryptionFacts;
  backup: {
    /** The version that this device writes to; null when it does not. */
    activeVersion: string | null;
    /** Message keys in the backup, as the server counts them. */
    stored: number;
    /** Message keys of this device that are not in the backup yet; null before the SDK has said so. */
    remaining: number | null;
  };
  /** The name that the present recovery key was given when it was made. */
  recoveryKeyName: string | null;
}

/** Null until the first answer. */
export const useEncryptionStatus = create<{ status: EncryptionStatus | null }>()(() => ({ status: null }));

const CHANGES = [
  CryptoEvent.KeysChanged,
  CryptoEvent.KeyBackupStatus,
  CryptoEvent.KeyBackupDecryptionKeyCached,
  CryptoEvent.UserTrustStatusChanged,
] as const;

/** Follows `client` until the signal aborts. */
export function followEncryption(client: MatrixClient, signal: AbortSignal): void {
  let remaining: number | null = null;
  const update = () => {
    readStatus(client, remaining).then(
      (status) => signal.aborted || useEncryptionStatus.setState({ status }),
      () => undefined,
    );
  };
  const onRemaining = (count: number) => {
    remaining = count;
    update();
  };
  const onAccountData = (event: { getType(): string }) => {
    if (event.getType() === "m.secret_storage.default_key") update();
  };
  for (const event of CHANGES) client.on(event, update);
  client.on(CryptoEvent.KeyBackupSessionsRemaining, onRemaining);
  client.on(ClientEvent.AccountData, onAccountData);
  signal.addEventListener("abort", () => {
    for (const event of CHANGES) client.off(event, update);
    client.off(CryptoEvent.KeyBackupSessionsRemaining, onRemaining);
    client.off(ClientEvent.AccountData, onAccountData);
    useEncryptionStatus.setState({ status: null });
  });
  update();
}

async function readStatus(client: MatrixClient, remaining: number | null): Promise<EncryptionStatus> {
  const crypto = cryptoOf(client);
  const facts = await encryptionFacts(client);
  const backup = await crypto.getKeyBackupInfo();
  const key = await client.secretStorage.getKey();
  return {
    facts,
    backup: { activeVersion: await crypto.getActiveSessionBackupVersion(), stored: backup?.count ?? 0, remaining },
    recoveryKeyName: key?.[1].name ?? null,
  };
}
