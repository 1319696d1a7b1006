/** The blob store of this process. */
import { join } from "node:path";
import type { Blobs } from "../blobs/blobs.ts";
import { openFilesystemBlobs } from "../blobs/filesystem.ts";
import type { Context } from "../context.ts";

const stores = new WeakMap<Context, Blobs>();

export async function openStore(ctx: Context): Promise<void> {
  stores.set(ctx, await openFilesystemBlobs(join(ctx.dataDir, "media"), ctx.seams));
}

export function blobsOf(ctx: Context): Blobs {
  const blobs = stores.get(ctx);
  if (!blobs) throw new Error("the blob store is not open");
  return blobs;
}
