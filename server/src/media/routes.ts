/** The paths of the media domain. */
import type { Context } from "../context.ts";
import { route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { downloadRoutes } from "./download.ts";
import { sweepPreviews } from "./previews/cache.ts";
import { previewUrl } from "./previews/route.ts";
import { frozenRoutes } from "./frozen.ts";
import { giveLent } from "./lent/give.ts";
import { removeBlobs } from "./remove.ts";
import { startRounds } from "../rounds.ts";
import { openStore } from "./store.ts";
import { thumbnail } from "./thumbnail.ts";
import { uploadRoutes } from "./upload.ts";
import { resumableRoutes } from "./uploads/routes.ts";
import { sweepUploads } from "./uploads/sweep.ts";

/** Opens the store, and takes out of it what others have noted: now and every hour. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  const close = await openStore(ctx);
  const round = { wait_ms: () => limits.blobSweep_ms, isAtOnce: true };
  const rounds = [
    startRounds(ctx, {
      ...round,
      act: () => removeBlobs(ctx),
      failed: "deleted files could not be taken out of the store",
    }),
    startRounds(ctx, { ...round, act: () => sweepUploads(ctx), failed: "abandoned uploads could not be given up" }),
    startRounds(ctx, { ...round, act: () => sweepPreviews(ctx), failed: "old previews could not be forgotten" }),
  ];
  return async () => {
    for (const end of rounds) await end();
    await close();
  };
}

export const routes: readonly Route[] = [
  ...uploadRoutes,
  ...downloadRoutes,
  ...frozenRoutes,
  thumbnail,
  previewUrl,
  ...resumableRoutes,
  giveLent,
  route({
    method: "GET",
    path: "/_matrix/client/v1/media/config",
    alsoAt: ["/_matrix/media/v3/config", "/_matrix/media/r0/config"],
    access: "session",
    handle: (_request, ctx) => ({ "m.upload.size": ctx.config.mediaMax_bytes }),
  }),
];
