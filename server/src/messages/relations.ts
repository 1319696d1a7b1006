/** `GET /v1/rooms/{roomId}/relations/…`. Specification: client-server-api, "Relationships API". */
import { z } from "zod";
import { encoded, type Request, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import type { Context } from "../context.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { readableRoom, sightOf } from "../rooms/access.ts";
import { visibleEvent } from "./event.ts";
import { pageLimit, positionOf, type Reading, tell, tokenFor } from "./page.ts";

const relationsQuery = z.looseObject({
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(1).optional(),
  dir: z.enum(["b", "f"]).default("b"),
  recurse: z.enum(["true", "false"]).optional(),
});

type Asked = z.output<typeof relationsQuery>;

/** Children, and with `recurse` their children, as far as the specification wants to see them. */
const DEPTH = 3;

async function relations({ params, query, session }: Request<unknown, Asked>, ctx: Context) {
  const { reading, entry } = await visibleEvent(ctx, session, params as { roomId: string; eventId: string });
  const limit = pageLimit(query.limit);
  const children = await readChildren(reading, entry, {
    ...query,
    limit,
    relType: params["relType"],
    eventType: params["eventType"],
  });
  const sight = await sightOf(ctx, reading.room, session.userId);
  const page = children.slice(0, limit);
  const chunk = await tell(
    reading,
    page.filter((child) => sight.sees(child)),
  );
  const last = page.at(-1);
  const next =
    children.length > limit && last
      ? `,"next_batch":"${tokenFor(ctx, query.dir === "b" ? last.position - 1 : last.position)}"`
      : "";
  const previous = query.from === undefined ? "" : `,"prev_batch":${JSON.stringify(query.from)}`;
  const depth = query.recurse === "true" ? `,"recursion_depth":${DEPTH}` : "";
  return encoded(`{"chunk":[${chunk.join(",")}]${next}${previous}${depth}}`);
}

interface ChildrenOptions extends Asked {
  limit: number;
  relType: string | undefined;
  eventType: string | undefined;
}

/** One more than asked for, so that the caller knows whether there is a next page. */
function readChildren({ ctx, access }: Reading, parent: LogEntry, options: ChildrenOptions): Promise<LogEntry[]> {
  const { dir, from, to } = options;
  const at = from === undefined ? undefined : positionOf(ctx, from, "from");
  const stop = to === undefined ? undefined : positionOf(ctx, to, "to");
  const low = dir === "b" ? (stop ?? 0) : (at ?? 0);
  const high = dir === "b" ? (at ?? Number.MAX_SAFE_INTEGER) : (stop ?? Number.MAX_SAFE_INTEGER);
  const depth = options.recurse === "true" ? DEPTH : 1;
  const values = [
    parent.eventId,
    parent.roomId,
    depth,
    low,
    Math.min(high, access.upTo ?? high),
    options.relType ?? null,
    options.eventType ?? null,
    options.limit + 1,
  ];
  return ctx.db.log.query<LogEntry>(dir === "b" ? NEWEST_FIRST : OLDEST_FIRST, values);
}

const CHILDREN = `with recursive child(position, event_id, depth) as (
    select e.position, e.event_id, 1 from log.entries e where e.relates_to = $1 and e.room_id = $2 and ($6::text is null or e.relation_type = $6)
    union
    select e.position, e.event_id, c.depth + 1 from child c join log.entries e on e.relates_to = c.event_id and e.room_id = $2
    where c.depth < $3
  )
  select ${ENTRY_COLUMNS} from (select distinct position from child) c join log.entries e on e.position = c.position
  where e.position > $4 and e.position <= $5 and ($7::text is null or e.type = $7)`;
const NEWEST_FIRST = `${CHILDREN} order by e.position desc limit $8`;
const OLDEST_FIRST = `${CHILDREN} order by e.position limit $8`;

const PATH = "/_matrix/client/v1/rooms/:roomId/relations/:eventId";

export const relationRoutes: readonly Route[] = [PATH, `${PATH}/:relType`, `${PATH}/:relType/:eventType`].map((path) =>
  route({ method: "GET", path, access: "session", query: relationsQuery, handle: relations }),
);

const threadsQuery = z.looseObject({
  include: z.enum(["all", "participated"]).default("all"),
  limit: z.coerce.number().int().min(1).optional(),
  from: z.string().optional(),
});

export const threads = route({
  method: "GET",
  path: "/_matrix/client/v1/rooms/:roomId/threads",
  access: "session",
  rate: "other",
  query: threadsQuery,
  async handle({ params, query, session }, ctx) {
    const reading = await readRoom(ctx, params["roomId"] as string, session);
    const limit = pageLimit(query.limit, limits.defaultThreads);
    const from = query.from === undefined ? Number.MAX_SAFE_INTEGER : positionOf(ctx, query.from, "from");
    const rows = await readThreads(reading, { from, limit: limit + 1, participated: query.include === "participated" });
    const sight = await sightOf(ctx, reading.room, session.userId);
    const page = rows.slice(0, limit);
    const chunk = await tell(
      reading,
      page.filter((root) => sight.sees(root)),
    );
    const last = page.at(-1);
    const next = rows.length > limit && last ? `,"next_batch":"${tokenFor(ctx, last.latest - 1)}"` : "";
    return encoded(`{"chunk":[${chunk.join(",")}]${next}}`);
  },
});

async function readRoom(ctx: Context, roomId: string, session: Reading["session"]): Promise<Reading> {
  return { ctx, session, ...(await readableRoom(ctx, roomId, session.userId)) };
}

/** The roots of threads, the one with the newest answer first. */
function readThreads(
  { ctx, room, access, session }: Reading,
  { from, limit, participated }: { from: number; limit: number; participated: boolean },
): Promise<(LogEntry & { latest: number })[]> {
  return ctx.db.log.query<LogEntry & { latest: number }>(
    `select ${ENTRY_COLUMNS}, t.latest
     from (
       select c.relates_to, max(c.position) as latest, bool_or(c.user_id = $5) as took_part from log.entries c
       where c.room_id = $1 and c.relation_type = 'm.thread' and c.position <= $2 group by c.relates_to
     ) t join log.entries e on e.event_id = t.relates_to and e.room_id = $1
     where t.latest <= $3 and (not $4::boolean or t.took_part or e.user_id = $5)
     order by t.latest desc limit $6`,
    [room.roomId, access.upTo ?? Number.MAX_SAFE_INTEGER, from, participated, session.userId, limit],
  );
}
