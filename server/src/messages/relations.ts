/** `GET /v1/rooms/{roomId}/relations/…`. Specification: client-server-api, "Relationships API". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { encoded, type Request, route, type Route } from "../http.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { pageLimit, tell } from "./page.ts";
import { notBefore, positionOf, type Reading, seenAndHeard, sightValues, tokenFor, visibleEvent } from "./reading.ts";

const query = z.looseObject({
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(1).optional(),
  dir: z.enum(["b", "f"]).default("b"),
  recurse: z.enum(["true", "false"]).optional(),
});

type Asked = z.output<typeof query>;

/** With `recurse`, the children of children are given too, down to this depth. */
const DEPTH = 3;

async function relations({ params, query: asked, session }: Request<unknown, Asked>, ctx: Context) {
  const { reading, entry } = await visibleEvent(ctx, session, params as { roomId: string; eventId: string });
  const limit = pageLimit(asked.limit);
  const children = await readChildren(reading, entry, {
    ...asked,
    relType: params["relType"],
    eventType: params["eventType"],
    size: limit + 1,
  });
  const page = children.slice(0, limit);
  const chunk = await tell(reading, page);
  const last = page.at(-1);
  const nextAt = children.length > limit && last ? (asked.dir === "b" ? last.position - 1 : last.position) : undefined;
  const next = nextAt === undefined ? "" : `,"next_batch":"${tokenFor(ctx, nextAt)}"`;
  const previous = asked.from === undefined ? "" : `,"prev_batch":${JSON.stringify(asked.from)}`;
  const depth = asked.recurse === undefined ? "" : `,"recursion_depth":${asked.recurse === "true" ? DEPTH : 1}`;
  return encoded(`{"chunk":[${chunk.join(",")}]${next}${previous}${depth}}`);
}

interface ChildrenOptions extends Asked {
  relType: string | undefined;
  eventType: string | undefined;
  /** The most events to read. */
  size: number;
}

async function readChildren(reading: Reading, parent: LogEntry, options: ChildrenOptions): Promise<LogEntry[]> {
  const { ctx, room } = reading;
  const { dir, from, to, relType, eventType, size } = options;
  const at = from === undefined ? undefined : await positionOf(ctx, from, "from");
  const stop = to === undefined ? undefined : await positionOf(ctx, to, "to");
  const [low = 0, high = Number.MAX_SAFE_INTEGER] = dir === "b" ? [stop, at] : [at, stop];
  const kind = [relType ?? null, eventType ?? null];
  const { db } = notBefore(reading, at, stop);
  const values = [parent.eventId, room.roomId, ...kind, ...sightValues(reading), low, high, size];
  return options.recurse === "true"
    ? db.query<LogEntry>(dir === "b" ? ALL_BACKWARDS : ALL_FORWARDS, [...values, DEPTH])
    : db.query<LogEntry>(dir === "b" ? BACKWARDS : FORWARDS, values);
}

/** The filters hold for every step: what comes by way of an event that they leave out is left out too. */
const IS_MEANT = `e.room_id = $2 and ($3::text is null or e.relation_type = $3) and ($4::text is null or e.type = $4)
  and ${seenAndHeard("e", 5)}`;
const WITHIN = "e.position > $8 and e.position <= $9";

const DIRECT = `select ${ENTRY_COLUMNS} from log.entries e where e.relates_to = $1 and ${IS_MEANT} and ${WITHIN}`;
const BACKWARDS = `${DIRECT} order by e.position desc limit $10`;
const FORWARDS = `${DIRECT} order by e.position limit $10`;

/** An event relates to one other at the most, so none is found twice. */
const ALL = `with recursive child(position, event_id, depth) as (
    select e.position, e.event_id, 1 from log.entries e where e.relates_to = $1 and ${IS_MEANT}
    union all
    select e.position, e.event_id, c.depth + 1 from child c join log.entries e on e.relates_to = c.event_id
    where c.depth < $11 and ${IS_MEANT}
  )
  select ${ENTRY_COLUMNS} from child c join log.entries e on e.position = c.position
  where ${WITHIN}`;
const ALL_BACKWARDS = `${ALL} order by e.position desc limit $10`;
const ALL_FORWARDS = `${ALL} order by e.position limit $10`;

const PATH = "/_matrix/client/v1/rooms/:roomId/relations/:eventId";

export const relationRoutes: readonly Route[] = [PATH, `${PATH}/:relType`, `${PATH}/:relType/:eventType`].map((path) =>
  // As it was called before it was specified, and still is by matrix-bot-sdk.
  route({
    method: "GET",
    path,
    alsoAt: [path.replace("/v1/", "/unstable/")],
    access: "session",
    query,
    handle: relations,
  }),
);
