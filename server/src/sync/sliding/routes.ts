/** The path of sliding sync. MSC4186, where clients ask for it until it is in a version of the specification. */
import { z } from "zod";
import { encoded, route, type Route } from "../../http.ts";
import { noteOnline } from "../online.ts";
import { syncPartsOf } from "../parts.ts";
import { readAsk, slidingBody } from "./request.ts";
import { slidingSync } from "./sliding.ts";

const query = z.object({
  pos: z.string().optional(),
  timeout: z.coerce.number().int().min(0).optional(),
  set_presence: z.enum(["offline", "online", "unavailable"]).optional(),
});

export const slidingRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
    access: "session",
    query,
    body: slidingBody,
    handle: async (request, ctx) => {
      const { session, body, signal } = request;
      noteOnline(ctx, session, request.query.set_presence);
      const ask = readAsk(session, body, request.query.timeout);
      return encoded(await slidingSync(ctx, syncPartsOf(ctx), { ask, pos: request.query.pos, signal }));
    },
  }),
];
