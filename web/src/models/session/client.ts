/**
 * Making, starting and ending the Matrix client of this tab.
 *
 * The SDK and its WebAssembly are loaded here and nowhere before, so that the sign-in screen does not wait for them.
 * Three stores belong to a device: the sync store (what the rooms looked like, for a fast start), the crypto store
 * (keys, encrypted with the key in the credentials) and what was not sent yet (encrypted likewise). All carry the device's
 * name, so that a half-removed old device never meets a new one.
 */
import type { IStartClientOpts, MatrixClient } from "matrix-js-sdk";
import type { Logger } from "matrix-js-sdk/lib/logger.js";
import { generatedName } from "../client/roomName.ts";
import { openUnsent, unsentDatabase, type UnsentStore } from "../client/unsentStore.ts";
import { secretKeyCallbacks } from "../crypto/secretKeys.ts";
import { createStreaming } from "../stream/streamingFetch.ts";
import { verificationMethods } from "../verification/camera.ts";
import { type Credentials, loadCredentials, storageKeyBytes } from "./credentials.ts";
import { inOrder } from "./inOrder.ts";
import { renewingFetch, type TokenHolder } from "./tokens.ts";

export const startOptions: IStartClientOpts = {
  initialSyncLimit: 20,
  lazyLoadMembers: true,
  threadSupport: true,
};

/** Which store a device uses; `prefix` is the name that the crypto store's databases begin with. */
function storeNames(deviceId: string): { sync: string; prefix: string } {
  return { sync: `parley-sync-${deviceId}`, prefix: `parley-${deviceId}` };
}

/** A client with its sync store opened, not yet started and without crypto. */
export async function openClient(holder: TokenHolder): Promise<MatrixClient> {
  const sdk = await import("matrix-js-sdk");
  const { baseUrl, userId, deviceId, accessToken } = holder.read();
  const store = new sdk.IndexedDBStore({ indexedDB: window.indexedDB, dbName: storeNames(deviceId).sync });
  const client = sdk.createClient({
    baseUrl,
    userId,
    deviceId,
    accessToken,
    store,
    fetchFn: createStreaming({ baseUrl, fetch: inOrder(renewingFetch(withClient(holder, () => client))) }).fetch,
    cryptoCallbacks: secretKeyCallbacks,
    verificationMethods: await verificationMethods(),
    disableVoip: true,
    roomNameGenerator: generatedName,
    logger: quietLogger,
  });
  await store.startup();
  return client;
}

/**
 * The longest time until a new message key goes into the backup. The SDK waits for up to ten seconds, and whoever closes the
 * browser for good within them loses what they have just written. Keys of busy rooms still spread over a second.
 */
const BACKUP_DELAY_MS = 1_000;

/** Opens the crypto store of the client's device. Takes about a second the first time, for the WebAssembly. */
export async function openCrypto(client: MatrixClient, credentials: Credentials): Promise<void> {
  const { RustBackupManager } = await import("matrix-js-sdk/lib/rust-crypto/backup.js");
  Object.assign(RustBackupManager, { maxBackupLoopStartDelayMillis: BACKUP_DELAY_MS });
  await client.initRustCrypto({
    cryptoDatabasePrefix: storeNames(credentials.deviceId).prefix,
    storageKey: storageKeyBytes(credentials),
  });
}

/** Opens the store of what the client's device could not send. Throws when nobody is signed in any more. */
export async function openUnsentOf(client: MatrixClient): Promise<UnsentStore> {
  const credentials = loadCredentials();
  if (credentials?.deviceId !== client.getDeviceId()) throw new Error("the session has ended");
  return openUnsent(credentials.deviceId, storageKeyBytes(credentials));
}

/** Starts syncing; resolves at the first state that can be shown, from the store or from the server. */
export async function startSync(client: MatrixClient, signal: AbortSignal): Promise<void> {
  const { ClientEvent, SyncState } = await import("matrix-js-sdk");
  const shown = new Promise<void>((resolve, reject) => {
    const stop = () => client.off(ClientEvent.Sync, listen);
    const listen = (state: string | null) => {
      if (state !== SyncState.Prepared && state !== SyncState.Syncing) return;
      stop();
      resolve();
    };
    client.on(ClientEvent.Sync, listen);
    signal.addEventListener("abort", () => {
      stop();
      reject(signal.reason as Error);
    });
  });
  await client.startClient(startOptions);
  await shown;
}

/**
 * Writes the sync store whenever the page goes out of sight, until the signal aborts. The SDK writes it every five
 * minutes; a page that is closed in between would go back that far at its next start.
 */
export function saveWhenHidden(client: MatrixClient, signal: AbortSignal): void {
  const save = () => {
    if (document.visibilityState === "hidden") void client.store.save(true).catch(() => undefined);
  };
  document.addEventListener("visibilitychange", save, { signal });
}

/** Stops the client and writes its sync store, so that the next start begins where this one ended. Closes both stores. */
export async function stopClient(client: MatrixClient): Promise<void> {
  await client.store.save(true).catch(() => undefined);
  client.stopClient();
  client.removeAllListeners();
  await client.store.destroy();
}

/**
 * Deletes the stores of a device, which need not have been opened. Its keys are gone after this, so only a sign-out
 * may call it.
 */
export async function deleteStores(deviceId: string): Promise<void> {
  const { sync, prefix } = storeNames(deviceId);
  // The SDK puts these words around the names that it is given.
  const databases = [
    `matrix-js-sdk:${sync}`,
    `${prefix}::matrix-sdk-crypto`,
    `${prefix}::matrix-sdk-crypto-meta`,
    unsentDatabase(deviceId),
  ];
  await Promise.all(databases.map(deleteDatabase));
}

/** A database that something still has open goes when that closes; nobody has to wait for it. */
function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.addEventListener("success", () => resolve());
    request.addEventListener("error", () => resolve());
    request.addEventListener("blocked", () => resolve());
  });
}

/** A holder that also gives the client each new token: media requests and uploads read it there. */
function withClient(holder: TokenHolder, client: () => MatrixClient): TokenHolder {
  return {
    read: () => holder.read(),
    write: (credentials) => {
      holder.write(credentials);
      client().http.opts.accessToken = credentials.accessToken;
    },
  };
}

/** The SDK tells each request and each sync at debug level; warnings and errors are what a console is for. */
const quietLogger: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: (...parts: unknown[]) => console.warn(...parts),
  error: (...parts: unknown[]) => console.error(...parts),
  getChild: () => quietLogger,
};
