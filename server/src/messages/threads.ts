/** `GET /v1/rooms/{roomId}/threads`. Specification: client-server-api, "Querying threads in a room". */
import { z } from "zod";
import { encoded, route } from "../http.ts";
import { limits } from "../limits.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { bodyOf, eventOf, redactedIn } from "../rooms/entry.ts";
import { pageLimit, tell } from "./page.ts";
import { notBefore, positionOf, type Reading, readingOf, seenAndHeard, sightValues, tokenFor } from "./reading.ts";

export const threads = route({
  method: "GET",
  path: "/_matrix/client/v1/rooms/:roomId/threads",
  access: "session",
  rate: "other",
  query: z.looseObject({
    include: z.enum(["all", "participated"]).default("all"),
    limit: z.coerce.number().int().min(1).optional(),
    from: z.string().optional(),
  }),
  async handle({ params, query, session }, ctx) {
    const allowed = await readingOf(ctx, params["roomId"] as string, session);
    const limit = pageLimit(query.limit, limits.defaultThreads);
    const from = query.from === undefined ? Number.MAX_SAFE_INTEGER : await positionOf(ctx, query.from, "from");
    const reading = notBefore(allowed, query.from === undefined ? undefined : from);
    const own = query.include === "participated";
    const roots = await readRoots(reading, { from, own, size: limit + 1 });
    const page = roots.slice(0, limit);
    const chunk = await tell(
      reading,
      page.map((root) => hideIgnored(reading, root)),
    );
    const last = page.at(-1);
    const next = roots.length > limit && last ? `,"next_batch":"${tokenFor(ctx, last.latest - 1)}"` : "";
    return encoded(`{"chunk":[${chunk.join(",")}]${next}}`);
  },
});

/** The root of a thread, and the position of the newest event in it. */
type Root = LogEntry & { latest: number };

/** From one root to the next in the index, and of each thread only its newest event is looked at: a thread may be long. */
const ROOTS = `with recursive roots(root) as (
    (select c.relates_to from log.entries c
     where c.room_id = $1 and c.relation_type = 'm.thread' order by c.relates_to limit 1)
    union all
    select (select c.relates_to from log.entries c
      where c.room_id = $1 and c.relation_type = 'm.thread' and c.relates_to > r.root order by c.relates_to limit 1)
    from roots r where r.root is not null
  )
  select ${ENTRY_COLUMNS}, l.position as latest
  from roots r
  cross join lateral (
    select c.position from log.entries c
    where c.room_id = $1 and c.relation_type = 'm.thread' and c.relates_to = r.root and ${seenAndHeard("c", 2)}
    order by c.position desc limit 1
  ) l
  join log.entries e on e.event_id = r.root and e.room_id = $1
  where l.position <= $5
    and exists (select 1 from unnest($2::bigint[], $3::bigint[]) as seen(first, last) where e.position between seen.first and seen.last)
    and (not $6::boolean or e.user_id = $7 or exists (
      select 1 from log.entries c
      where c.room_id = $1 and c.relation_type = 'm.thread' and c.relates_to = r.root and c.user_id = $7))
  order by l.position desc limit $8`;

/** The roots of threads, the one with the newest answer first; with `own`, only of those that the reader took part in. */
function readRoots(
  reading: Reading,
  { from, own, size }: { from: number; own: boolean; size: number },
): Promise<Root[]> {
  const { room, session } = reading;
  return reading.db.query<Root>(ROOTS, [room.roomId, ...sightValues(reading), from, own, session.userId, size]);
}

/** What somebody wrote whom the reader ignores is told as if it were redacted: the thread hangs on it. */
function hideIgnored({ ignored, room }: Reading, root: Root): LogEntry {
  if (!ignored.has(root.userId as string)) return root;
  return { ...root, body: bodyOf(redactedIn(room.roomVersion, eventOf(root))), unsigned: null };
}
