/** Gives up what nobody goes on with. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { removeBlobs } from "../remove.ts";
import { discardUploads, expiredUploads } from "./queries.ts";

export async function sweepUploads(ctx: Context): Promise<void> {
  for (;;) {
    const expired = await expiredUploads(ctx, limits.expiredUploads);
    if (expired.length > 0) await discardUploads(ctx, expired);
    if (expired.length < limits.expiredUploads) break;
  }
  await removeBlobs(ctx);
}
