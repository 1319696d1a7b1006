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
  CryptoEvent.DevicesUpdated,
] as const;

/** Follows `client` until the signal aborts. */
export function followEncryption(client: MatrixClient, signal: AbortSignal): void {
  let remaining: number | null = null;
  const update = oneAtATime(async () => {
    const status = await readStatus(client, remaining);
    if (!signal.aborted) useEncryptionStatus.setState({ status });
  });
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

/** News about keys come in bursts: calls during a run lead to one more run. */
function oneAtATime(run: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const start = async () => {
    running = true;
    do {
      again = false;
      // Without an answer the last known status stays; the next event asks again.
      await run().catch(() => undefined);
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void start();
  };
}

async function readStatus(client: MatrixClient, remaining: number | null): Promise<EncryptionStatus> {
  const crypto = cryptoOf(client);
  const facts = await encryptionFacts(client);
  const key = await client.secretStorage.getKey();
  return {
    facts,
    backup: { activeVersion: await crypto.getActiveSessionBackupVersion(), remaining },
    recoveryKeyName: key?.[1].name ?? null,
  };
}
