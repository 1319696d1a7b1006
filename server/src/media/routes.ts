/** The paths of the media domain. */
import type { Context } from "../context.ts";
import { route, type Route } from "../http.ts";
import { downloadRoutes } from "./download.ts";
import { openStore } from "./store.ts";
import { thumbnail } from "./thumbnail.ts";
import { uploadRoutes } from "./upload.ts";

export function start(ctx: Context): Promise<() => Promise<void>> {
  return openStore(ctx);
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
