/** `POST /search`. Specification: client-server-api, "Server Side Search". */
import { z } from "zod";
import { encoded, route } from "../http.ts";
import { findMatches } from "./find.ts";
import { caughtUp } from "./freshness.ts";
import { searchBody, wantedOf } from "./request.ts";
import { roomEventsOf } from "./results.ts";

export const search = route({
  method: "POST",
  path: "/_matrix/client/v3/search",
  access: "session",
  rate: "search",
  query: z.looseObject({ next_batch: z.string().optional() }),
  body: searchBody,
  async handle({ session, body, query, signal }, ctx) {
    const { room_events: asked } = body.search_categories;
    if (!asked) return { search_categories: {} };
    const wanted = wantedOf(asked, query.next_batch);
    await caughtUp(ctx, signal());
    const found = await findMatches(ctx, session, wanted);
    return encoded(`{"search_categories":{"room_events":${await roomEventsOf(found, wanted)}}}`);
  },
});
