/** The paths of the media domain. */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { downloadRoutes } from "./download.ts";
import { removeBlobs } from "./remove.ts";
import { openStore } from "./store.ts";
import { thumbnail } from "./thumbnail.ts";
import { uploadRoutes } from "./upload.ts";

/** Opens the store, and takes out of it what others have noted: now and every hour. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  const close = await openStore(ctx);
  const remove = () =>
    removeBlobs(ctx).catch((thrown: unknown) =>
      ctx.logger.warn({ reason: asError(thrown).message }, "deleted files could not be taken out of the store"),
    );
  void remove();
  const removing = ctx.seams.every(limits.blobSweep_ms, () => void remove());
  return async () => {
    removing.cancel();
    await close();
  };
}

export const routes: readonly Route[] = [
  ...uploadRoutes,
  ...downloadRoutes,
  thumbnail,
  route({
    method: "GET",
    path: "/_matrix/client/v1/media/config",
    alsoAt: ["/_matrix/media/v3/config", "/_matrix/media/r0/config"],
    access: "session",
    handle: (_request, ctx) => ({ "m.upload.size": ctx.config.mediaMax_bytes }),
  }),
];
