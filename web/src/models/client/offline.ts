import { type MatrixClient, SyncState } from "matrix-js-sdk";

/** There is no connection, as far as the browser and the sync know. */
export function isOffline(client: MatrixClient): boolean {
  const state = client.getSyncState();
  return !navigator.onLine || state === SyncState.Error || state === SyncState.Reconnecting;
}
