/**
 * Maintenance: an operator has stopped writing. What would change something is refused with the operator's sentence; reading and
 * sync go on, tokens are renewed, and whoever wants to sign out can. The operators' own paths are not touched, so that
 * the console can end it.
 */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";

/** Where clients write; everything else is the operators' or the process's own. */
const OF_CLIENTS = /^\/_matrix\/|^\/_parley\/client\/|^\/api\/hooks\//;

/** What is asked with POST and reads, and what sessions need to go on or to end. */
export const GOES_ON = new Set([
  "/_matrix/client/v3/refresh",
  "/_matrix/client/v3/logout",
  "/_matrix/client/v3/logout/all",
  "/_matrix/client/v3/keys/query",
  "/_matrix/client/v3/publicRooms",
  "/_matrix/client/v3/search",
  "/_matrix/client/v3/user_directory/search",
  "/_matrix/client/v3/user/:userId/filter",
  "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
  "/_parley/client/v1/stream/ticket",
  "/_parley/client/v1/decryptions",
]);

/** Throws IO_PARLEY_MAINTENANCE, with `retry_after_ms`, for what would write while maintenance goes on. `path` is the route's pattern. */
export function refuseInMaintenance({ controls }: Pick<Context, "controls">, method: string, path: string): void {
  if (method === "GET" || GOES_ON.has(path) || !OF_CLIENTS.test(path)) return;
  refuseWriting({ controls });
}

/** Throws IO_PARLEY_MAINTENANCE while maintenance goes on: for what writes and answers errors in its own way. */
export function refuseWriting({ controls }: Pick<Context, "controls">): void {
  const { maintenance } = controls.now();
  if (maintenance === null) return;
  throw matrixError("IO_PARLEY_MAINTENANCE", maintenance.message, {
    retryAfter_ms: maintenance.retry_after_s * 1_000,
    fields: { since_ms: maintenance.since_ms },
  });
}
