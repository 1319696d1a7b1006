// Somebody at one of their devices: the real SDK with its Rust crypto, and words for what people do with it.

import "fake-indexeddb/auto";
import { type QuietLogger, quietLogger } from "./quiet-sdk.ts";
import * as sdk from "matrix-js-sdk";
import { type CryptoApi, decodeRecoveryKey } from "matrix-js-sdk/lib/crypto-api/index.js";
import { SlidingSync } from "matrix-js-sdk/lib/sliding-sync.js";
import type { Person } from "./http.ts";
import { type Line, openLine } from "./line.ts";
import { waitFor } from "./wait.ts";

/** How many events of a room one sync brings; what is older must be asked for. */
export const SYNCED_EVENTS = 10;

export type Device = {
  /** Such as "alice (phone)". */
  label: string;
  userId: string;
  deviceId: string;
  /** What the account was registered with. */
  password: string;
  /** The same session without the SDK: requests that it has no words for. */
  plain: Person;
  /** The SDK itself. Another one after each `reopen`. */
  readonly client: sdk.MatrixClient;
  readonly crypto: CryptoApi;
  /** Waits until `check` gives something, and looks again whenever the SDK tells of any news. */
  until<T>(what: string, check: (client: sdk.MatrixClient) => Found<T> | Promise<Found<T>>): Promise<T>;
  /** Lets the SDK open the account's secret storage with this key, until the device is closed. */
  useRecoveryKey(key: string): void;
  /** Resolves when the app's next request to an address like this is answered. */
  answered(address: RegExp): Promise<void>;
  /** The network is gone: requests on their way break. Resolves when the SDK has noticed. */
  goOffline(): Promise<void>;
  /** The network is back. Resolves when the device has caught up. */
  comeOnline(): Promise<void>;
  /** Ends the app. What it had stored stays, as on a disk. */
  close(): Promise<void>;
  /** Starts the app again on what it had stored. Resolves when it has caught up. */
  reopen(): Promise<void>;
};

type Found<T> = T | undefined | false;

export type DeviceOptions = {
  url: string;
  label: string;
  person: Person;
  password: string;
  fetch: typeof fetch;
  /** The app syncs by sliding sync: its first hundred rooms, and all of their state but the members. */
  isSliding?: boolean;
  /** The session is one of OAuth 2.0: which client it belongs to, and what it is renewed with. */
  oauth?: Pick<sdk.ICreateClientOpts, "oauthClientId" | "refreshToken" | "onTokenRefresh">;
};

/** Starts the app of a session that has just signed in. Resolves when it has synced and its keys are published. */
export async function openDevice(options: DeviceOptions): Promise<Device> {
  const { person, label, password } = options;
  const logger = quietLogger();
  const recoveryKey: RecoveryKey = {};
  let running = await start(options, { logger, recoveryKey, isNew: true });
  const until: Device["until"] = (what, check) =>
    waitFor({
      what: `${label}: ${what}`,
      check: () => check(running.client),
      listen: (look) => running.listen(look),
      instead: () => logger.lastWarnings().join("\n"),
    });
  return {
    label,
    password,
    plain: person,
    userId: person.userId,
    deviceId: person.deviceId,
    until,
    answered: (address) => running.line.answered(address),
    get client() {
      return running.client;
    },
    get crypto() {
      return running.client.getCrypto() as CryptoApi;
    },
    useRecoveryKey: (key) => void (recoveryKey.bytes = decodeRecoveryKey(key)),
    async goOffline() {
      running.line.cut();
      await until("it notices that the network is gone", (client) => client.getSyncState() !== sdk.SyncState.Syncing);
    },
    async comeOnline() {
      running.line.mend();
      running.client.retryImmediately();
      await until("it has caught up", (client) => client.getSyncState() === sdk.SyncState.Syncing);
    },
    close: () => running.stop(),
    async reopen() {
      running = await start(options, { logger, recoveryKey, isNew: false });
    },
  };
}

type RecoveryKey = { bytes?: Uint8Array<ArrayBuffer> };
type Means = { logger: QuietLogger; recoveryKey: RecoveryKey; isNew: boolean };

type Running = {
  client: sdk.MatrixClient;
  line: Line;
  /** Calls `look` after each event that the client emits. */
  listen(look: () => void): () => void;
  /** Doing it twice is doing it once. */
  stop(): Promise<void>;
};

async function start(options: DeviceOptions, { logger, recoveryKey, isNew }: Means): Promise<Running> {
  const { url, person } = options;
  const { userId, deviceId, token } = person;
  const line = openLine(options.fetch);
  const name = `${url} ${deviceId}`;
  const store = new sdk.IndexedDBStore({ indexedDB, dbName: name });
  const client = sdk.createClient({
    baseUrl: url,
    userId,
    deviceId,
    accessToken: token,
    ...options.oauth,
    store,
    logger,
    fetchFn: line.fetch,
    cryptoCallbacks: { getSecretStorageKey: async ({ keys }) => openWith(recoveryKey, Object.keys(keys)) },
    verificationMethods: ["m.sas.v1"],
    disableVoip: true,
  });
  await store.startup();
  await client.initRustCrypto({ cryptoDatabasePrefix: name });
  const listeners = listenToAll(client);
  const listen: Running["listen"] = (look) => {
    listeners.add(look);
    return () => listeners.delete(look);
  };
  const caughtUp = waitFor({
    what: `${userId} has synced`,
    // A sync from the store comes first, and is not followed by a token of the server.
    check: () => client.getSyncState() === sdk.SyncState.Syncing,
    listen,
    instead: () => logger.lastWarnings().join("\n"),
  });
  const published = isNew ? line.answered(/\/keys\/upload$/) : undefined;
  const sliding = options.isSliding ? slidingSync(client, url) : undefined;
  await client.startClient({
    initialSyncLimit: SYNCED_EVENTS,
    lazyLoadMembers: true,
    ...(sliding ? { slidingSync: sliding } : {}),
  });
  await caughtUp;
  await published;
  const end = async () => {
    await store.save(true);
    line.end();
    client.stopClient();
    client.http.abort();
    await store.destroy();
  };
  let ended: Promise<void> | undefined;
  return { client, line, listen, stop: () => (ended ??= end()) };
}

/** How long the SDK waits for news before it asks again. */
const SLIDING_WAIT_MS = 20_000;

function slidingSync(client: sdk.MatrixClient, url: string): SlidingSync {
  const required_state = [
    ["*", "*"],
    ["m.room.member", "$LAZY"],
  ];
  const room = { timeline_limit: SYNCED_EVENTS, required_state };
  return new SlidingSync(url, new Map([["all", { ranges: [[0, 99]], ...room }]]), room, client, SLIDING_WAIT_MS);
}

/** The client's own word for every change is an event, and they all go through `emit`. */
function listenToAll(client: sdk.MatrixClient): Set<() => void> {
  const listeners = new Set<() => void>();
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- its events are passed on as they come
  const emit = client.emit.bind(client) as (...event: unknown[]) => boolean;
  client.emit = (...event: unknown[]) => {
    const isHeard = emit(...event);
    for (const look of listeners) look();
    return isHeard;
  };
  return listeners;
}

function openWith({ bytes }: RecoveryKey, keyIds: string[]): [string, Uint8Array<ArrayBuffer>] | null {
  const [keyId] = keyIds;
  return bytes && keyId !== undefined ? [keyId, bytes.slice()] : null;
}
