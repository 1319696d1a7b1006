import { ClientEvent, EventStatus, type MatrixClient, type MatrixEvent, RoomEvent, SyncState } from "matrix-js-sdk";
import { createStore, type StoreApi } from "zustand/vanilla";
import { type Connection, connectionOf, type Facts } from "../connection/connection.ts";
import { isMaintenance } from "./events.ts";
import { listen } from "./listen.ts";

/** How long the SDK waits at most before it asks a failing server again. */
const RETRY_MS = 30_000;

/** The state of the connection, from what the SDK's sync and the browser say. */
export function watchConnection(client: MatrixClient): { store: StoreApi<Connection>; stop: () => void } {
  let facts: Omit<Facts, "now_ms"> = {
    online: navigator.onLine,
    failingSince_ms: null,
    refusal: null,
    maintenance: null,
    catchingUp: false,
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const store = createStore<Connection>(() => ({ phase: "connected" }));
  const look = () => {
    clearTimeout(timer);
    const now_ms = Date.now();
    const { connection, lookAgainAt_ms } = connectionOf({ ...facts, now_ms });
    store.setState(connection, true);
    if (lookAgainAt_ms !== null) timer = setTimeout(look, lookAgainAt_ms - now_ms);
  };
  const learn = (change: Partial<Facts>) => {
    facts = { ...facts, ...change };
    look();
  };
  const onSync = (state: SyncState, _previous: SyncState | null, data?: { error?: Error; catchingUp?: boolean }) => {
    if (state === SyncState.Syncing || state === SyncState.Prepared)
      return learn({ failingSince_ms: null, refusal: null, catchingUp: false });
    if (state === SyncState.Catchup) return learn({ failingSince_ms: null, refusal: null, catchingUp: true });
    if (state === SyncState.Stopped) return;
    learn({ failingSince_ms: facts.failingSince_ms ?? Date.now(), refusal: refusalOf(data?.error) });
  };
  const onEcho = ({ status, error }: MatrixEvent) => {
    if (isMaintenance(error)) learn({ maintenance: refusalOf(error ?? undefined) });
    else if (facts.maintenance && (status === null || status === EventStatus.SENT)) learn({ maintenance: null });
  };
  const stopListening = listen(client, { [ClientEvent.Sync]: onSync, [RoomEvent.LocalEchoUpdated]: onEcho });
  const online = () => learn({ online: true });
  const offline = () => learn({ online: false });
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);
  look();
  const stop = () => {
    stopListening();
    clearTimeout(timer);
    window.removeEventListener("online", online);
    window.removeEventListener("offline", offline);
  };
  return { store, stop };
}

/** The server's own words when it answered with an error; null when it could not be reached. */
function refusalOf(error: Error | undefined): Facts["refusal"] {
  const status = (error as { httpStatus?: number } | undefined)?.httpStatus;
  if (status === undefined || status < 400) return null;
  const said = (error as { data?: { error?: string } }).data?.error ?? `error ${status}`;
  const reason = said.replace(/\.$/, "");
  return { reason, retryAt_ms: Date.now() + RETRY_MS };
}
