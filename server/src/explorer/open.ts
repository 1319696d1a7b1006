/** The explorer of one process: made at its first use, gone with the process. */
import type { Context } from "../context.ts";
import type { ForeignServer, OwnServer } from "../db/foreign.ts";
import { matrixError } from "../errors.ts";
import { placeFor } from "../outward/guard.ts";
import type { MasterKeys } from "../secrets/master-keys.ts";
import { openCredentials } from "./credentials/open.ts";
import type { CredentialStore, Identity, SavedConnection } from "./credentials/store.ts";
import { openPassword } from "./envelope.ts";
import { openExplorerKeys } from "./master-keys.ts";
import { openPools, type Pools } from "./pools.ts";
import type { Way } from "./run.ts";

export interface Explorer {
  store: CredentialStore;
  pools: Pools;
  /** Throws M_BAD_STATE where there are none. */
  keys(): Promise<MasterKeys>;
}

/** The id of the connection that everybody has: the access graph in Parley's own database, which is only read. */
export const OWN = "access-graph";

const explorers = new WeakMap<Context, Explorer>();

export function explorerOf(ctx: Context): Explorer {
  let explorer = explorers.get(ctx);
  if (!explorer) {
    explorer = open(ctx);
    explorers.set(ctx, explorer);
  }
  return explorer;
}

function open(ctx: Context): Explorer {
  const pools = openPools(ctx.seams);
  let opening: Promise<MasterKeys> | undefined;
  const keys = () => {
    opening ??= openExplorerKeys(ctx).catch((thrown: unknown) => {
      // The settings may be right the next time: a file that was not there yet.
      opening = undefined;
      throw thrown;
    });
    return opening;
  };
  const close = async () => {
    await pools.close();
    (await opening?.catch(() => undefined))?.close();
  };
  ctx.stopping.addEventListener("abort", () => void close(), { once: true });
  return { store: openCredentials(ctx), pools, keys };
}

/** Where a connection leads, checked and resolved now. Throws M_FORBIDDEN and M_INVALID_PARAM: see outward/guard.ts. */
export async function serverFor(ctx: Context, identity: Identity, password: () => string): Promise<ForeignServer> {
  const { host, port, database, user, tls, ca } = identity;
  const { addresses } = await placeFor(
    { host, port },
    { allowed: ctx.config.explorer.hosts, setting: "PARLEY_EXPLORER_HOSTS" },
  );
  return { host, addresses, port, database, user, password, tls, ca: ca ?? undefined };
}

/** A connection of this person, to run queries on. Throws M_NOT_FOUND for one of somebody else. */
export async function wayTo(ctx: Context, owner: string, id: string): Promise<Way> {
  const { pools } = explorerOf(ctx);
  if (id === OWN) {
    const describe = async (): Promise<OwnServer> => ({ url: ctx.databaseUrl, role: "graph" });
    return { take: () => pools.take({ owner, id, version: 0 }, describe), describe, seams: ctx.seams };
  }
  const saved = await savedOf(ctx, owner, id);
  const describe = () => describeSaved(ctx, saved);
  return { take: () => pools.take({ owner, id, version: saved.version }, describe), describe, seams: ctx.seams };
}

export async function savedOf(ctx: Context, owner: string, id: string): Promise<SavedConnection> {
  const saved = await explorerOf(ctx).store.get(owner, id);
  if (!saved) throw matrixError("M_NOT_FOUND", "You have no saved connection of this id.");
  return saved;
}

export async function describeSaved(ctx: Context, saved: SavedConnection): Promise<ForeignServer> {
  const keys = await explorerOf(ctx).keys();
  const password = openPassword(saved, keys);
  return serverFor(ctx, saved, () => password);
}
