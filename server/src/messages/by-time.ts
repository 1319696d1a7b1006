/**
 * `GET /v1/rooms/{roomId}/timestamp_to_event`: the event next to a moment. Specification: client-server-api, "Getting events for
 * a room".
 *
 * The log is in the order of commits, and its times follow that order but for how far the clocks of replicas are apart. So the
 * place of a moment is found by halving, and the event by walking from a little before that place.
 */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { type Direction, walk } from "./page.ts";
import { type Reading, readingOf } from "./reading.ts";

/** Of the first events on the right side of the moment, the nearest is taken: clocks may have mixed their order. */
const NEAREST_OF = 20;

export const eventByTime = route({
  method: "GET",
  path: "/_matrix/client/v1/rooms/:roomId/timestamp_to_event",
  access: "session",
  rate: "other",
  query: z.looseObject({ ts: z.coerce.number().int().min(0), dir: z.enum(["f", "b"]) }),
  async handle({ params, query, session }, ctx) {
    const reading = await readingOf(ctx, params["roomId"] as string, session);
    const found = await nearest(reading, { ts: query.ts, direction: query.dir });
    if (!found) throw matrixError("M_NOT_FOUND", "There is no event that you may see on that side of the moment.");
    return { event_id: found.eventId, origin_server_ts: found.ts };
  },
});

/** The visible event next to the moment in the direction; of two that are as near, the first in that direction. */
async function nearest(
  reading: Reading,
  { ts, direction }: { ts: number; direction: Direction },
): Promise<LogEntry | undefined> {
  const sign = direction === "f" ? 1 : -1;
  const distance = (entry: LogEntry): number => ((entry.ts as number) - ts) * sign;
  const from = await placeOf(reading, ts - sign * limits.clockSkew_ms);
  const { entries } = await walk(reading, {
    direction,
    from,
    limit: NEAREST_OF,
    matches: (entry) => distance(entry) >= 0,
  });
  return entries.toSorted((a, b) => distance(a) - distance(b))[0];
}

/** A position between the events before the moment and those after it: the halves are halved again in one statement. */
async function placeOf({ db, room }: Reading, ts: number): Promise<number> {
  const row = await db.one<{ low: number }>(
    `with recursive search(low, high) as (
       select 0::bigint, (select position from log.head)
       union all
       select case when e.ts < $2 then e.position else s.low end,
         case when e.ts < $2 then s.high else (s.low + s.high) / 2 end
       from search s left join lateral (
         select position, ts from log.entries
         where kind = 'event' and room_id = $1 and position > (s.low + s.high) / 2 and position <= s.high
         order by position limit 1
       ) e on true
       where s.low < s.high
     ) select low from search where low >= high limit 1`,
    [room.roomId, ts],
  );
  return row?.low ?? 0;
}
