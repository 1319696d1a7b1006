/** The blob store of this process. */
import type { Blobs } from "../blobs/blobs.ts";
import { openBlobs } from "../blobs/open.ts";
import type { Context } from "../context.ts";

const stores = new WeakMap<Context, Blobs>();

/** Gives the function that closes it. */
export async function openStore(ctx: Context): Promise<() => Promise<void>> {
  const { config, dataDir, seams, logger } = ctx;
  const blobs = await openBlobs({ storage: config.storage, dataDir, seams, logger });
  stores.set(ctx, blobs);
  return () => blobs.close();
}

export function blobsOf(ctx: Context): Blobs {
  const blobs = stores.get(ctx);
  if (!blobs) throw new Error("the blob store is not open");
  return blobs;
}
