/** The blob store of this process. */
import type { Blobs } from "../blobs/blobs.ts";
import { openBlobs } from "../blobs/open.ts";
import type { Context } from "../context.ts";
import { serves } from "../roles.ts";

const stores = new WeakMap<Context, Blobs>();

/** Gives the function that closes it. */
export async function openStore(ctx: Context): Promise<() => Promise<void>> {
  const { config, dataDir, seams, logger } = ctx;
  const blobs = await openBlobs({ storage: config.storage, dataDir, seams, logger });
  stores.set(ctx, blobs);
  return () => blobs.close();
}

/** The store, opened where this process has no part in serving files: jobs run anywhere. It is closed when the process stops. */
export async function storeOf(ctx: Context): Promise<Blobs> {
  const open = stores.get(ctx);
  if (open) return open;
  const close = await openStore(ctx);
  ctx.stopping.addEventListener("abort", () => void close(), { once: true });
  return blobsOf(ctx);
}

/** Whether this process reaches what was uploaded: files in a folder are where the role media is, an object store where its settings are. */
export function reachesUploads({ config }: Context): boolean {
  return config.storage.provider !== "filesystem" || serves(config.roles, "media");
}

export function blobsOf(ctx: Context): Blobs {
  const blobs = stores.get(ctx);
  if (!blobs) throw new Error("the blob store is not open");
  return blobs;
}
