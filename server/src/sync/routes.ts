/** The paths of the sync domain. Specification: client-server-api, "Syncing". */
import { z } from "zod";
import { loadFilter } from "../account/filters.ts";
import type { Context } from "../context.ts";
import { encoded, route, type Route, type Session } from "../http.ts";
import { limits } from "../limits.ts";
import { parseToken } from "../log/token.ts";
import { noteOnline } from "./online.ts";
import { events } from "./old-events.ts";
import { initialSync } from "./old-style.ts";
import { openSyncParts, syncPartsOf } from "./parts.ts";
import type { Ask, StateSection } from "./run.ts";
import { openSlidingParts } from "./sliding/parts.ts";
import { slidingRoutes } from "./sliding/routes.ts";
import { standOf, sync } from "./sync.ts";

const syncQuery = z.object({
  filter: z.string().optional(),
  since: z.string().optional(),
  full_state: z.enum(["true", "false"]).optional(),
  set_presence: z.enum(["offline", "online", "unavailable"]).optional(),
  timeout: z.coerce.number().int().min(0).optional(),
  use_state_after: z.enum(["true", "false"]).optional(),
  "org.matrix.msc4222.use_state_after": z.enum(["true", "false"]).optional(),
});

/** What the syncs of this process share is opened before the first of them. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  openSyncParts(ctx);
  return openSlidingParts(ctx);
}

function stateSectionOf(query: z.output<typeof syncQuery>): StateSection {
  if (query.use_state_after === "true") return "state_after";
  return query["org.matrix.msc4222.use_state_after"] === "true" ? "org.matrix.msc4222.state_after" : "state";
}

async function askOf(ctx: Context, session: Session, query: z.output<typeof syncQuery>): Promise<Ask> {
  const known = query.since === undefined ? undefined : await standOf(ctx, parseToken(query.since));
  return {
    session,
    filter: await loadFilter(ctx, session.userId, query.filter),
    fullState: query.full_state === "true",
    stateSection: stateSectionOf(query),
    timeout_ms: Math.min(query.timeout ?? 0, limits.syncTimeout_ms),
    isFirst: known === undefined,
    startsOver: known === undefined && query.since !== undefined,
    since: known?.position ?? 0,
    seen: known?.ephemeral ?? 0,
  };
}

export const routes: readonly Route[] = [
  route({
    method: "GET",
    path: "/_matrix/client/v3/sync",
    access: "session",
    query: syncQuery,
    async handle(request, ctx) {
      const parts = syncPartsOf(ctx);
      const ask = await askOf(ctx, request.session, request.query);
      noteOnline(ctx, request.session, request.query.set_presence);
      // A first sync tells a person that they are online themselves.
      if (ask.isFirst) await ctx.ephemeral.written();
      return encoded(await sync(ctx, parts, { ask, signal: request.signal }));
    },
  }),
  initialSync,
  events,
  ...slidingRoutes,
];
