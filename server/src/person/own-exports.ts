/** What people ask for themselves: everything that the server has of them. See docs/operations/persons.md. */
import { z } from "zod";
import { Answer, route, type Route } from "../http.ts";
import { archiveHeaders, archiveOf, beginExport, listExports } from "./exports.ts";

const PATH = "/_parley/client/v1/exports";

const begin = route({
  method: "POST",
  path: PATH,
  access: "session",
  rate: "other",
  body: z.object({}),
  async handle({ session: { userId } }, ctx) {
    const export_id = await ctx.db.console.transaction((db) => beginExport(ctx, db, { userId, by: userId }));
    return { export_id };
  },
});

const list = route({
  method: "GET",
  path: PATH,
  access: "session",
  rate: "other",
  handle: async ({ session: { userId } }, ctx) => ({ exports: await listExports(ctx, userId) }),
});

const fetch = route({
  method: "GET",
  path: `${PATH}/:exportId/archive`,
  access: "session",
  rate: "other",
  async handle({ session: { userId, deviceId }, params }, ctx) {
    const exportId = params["exportId"] as string;
    const payload = await archiveOf(ctx, { exportId, of: { userId }, by: userId, device: deviceId });
    return new Answer({ headers: archiveHeaders(exportId), payload });
  },
});

export const personRoutes: readonly Route[] = [begin, list, fetch];
