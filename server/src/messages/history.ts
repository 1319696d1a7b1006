/** `GET /rooms/{roomId}/messages`. Specification: client-server-api, "Getting events for a room". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { encoded, route } from "../http.ts";
import { limits } from "../limits.ts";
import { eventFilter, matcherOf } from "./event-filter.ts";
import { type Page, pageLimit, tell, walk } from "./page.ts";
import { notBefore, positionOf, type Reading, readingOf, tokenFor } from "./reading.ts";
import { relatedByOf } from "./related.ts";
import { speakers } from "./speakers.ts";

const query = z.looseObject({
  dir: z.enum(["b", "f"]).optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(0).optional(),
  filter: z.string().optional(),
});

export const history = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/messages",
  access: "session",
  rate: "other",
  query,
  async handle({ params, query: asked, session }, ctx) {
    const allowed = await readingOf(ctx, params["roomId"] as string, session);
    // Who may not read the room is told that first.
    const { dir: direction } = asked;
    if (direction === undefined) throw matrixError("M_MISSING_PARAM", 'The query has no "dir".');
    const filter = eventFilter(asked.filter);
    const newest = direction === "b" ? ctx.log.hub.head() : 0;
    const from = asked.from === undefined ? newest : await positionOf(ctx, asked.from, "from");
    const to = asked.to === undefined ? undefined : await positionOf(ctx, asked.to, "to");
    const reading = notBefore(allowed, asked.from === undefined ? undefined : from, to);
    const limit = pageLimit(Math.min(asked.limit ?? limits.defaultPage_events, filter.limit ?? Infinity));
    const wanted = { matches: matcherOf(filter), relatedBy: relatedByOf(filter) };
    const page = await walk(reading, { direction, from, to, limit, ...wanted });
    const chunk = await tell(reading, page.entries);
    const next = page.next ?? (direction === "f" && to === undefined ? whereNewOnesCome(reading, page) : undefined);
    const end = next === undefined ? "" : `,"end":"${tokenFor(ctx, next)}"`;
    const state = filter.lazyLoadMembers ? `,"state":[${(await speakers(reading, page.entries)).join(",")}]` : "";
    return encoded(`{"start":"${asked.from ?? tokenFor(ctx, from)}","chunk":[${chunk.join(",")}]${state}${end}}`);
  },
});

/**
 * Behind the newest event that there is: what will be said next comes from there. Undefined for who sees no more of the room,
 * and behind an empty page, with which whoever reads on to the end stops.
 */
function whereNewOnesCome({ ctx, sight }: Reading, { entries }: Page): number | undefined {
  return (sight.ranges.at(-1)?.last ?? 0) > ctx.log.hub.head() ? entries.at(-1)?.position : undefined;
}
