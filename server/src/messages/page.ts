/** Walking through a room's events, in either direction, and telling them as one reader sees them. */
import { limits } from "../limits.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { membershipsOf, type Range } from "../rooms/access.ts";
import { aggregationsOf } from "./aggregations.ts";
import { clientEventInRoom } from "./client-event.ts";
import { erasing } from "./erased.ts";
import { isHeard, type Reading } from "./reading.ts";
import { type RelatedBy, relatedAmong } from "./related.ts";

export type Direction = "b" | "f";

export interface Walk {
  direction: Direction;
  /** A token's position: backwards it gives what stands at or before it, forwards what stands behind it. */
  from: number;
  /** Where to stop, in the same sense. */
  to?: number | undefined;
  limit: number;
  matches?: ((entry: LogEntry) => boolean) | undefined;
  relatedBy?: RelatedBy;
}

export interface Page {
  entries: LogEntry[];
  /** Where the next page begins; undefined where there are no more events that the reader may see. */
  next: number | undefined;
}

/**
 * The next events that the reader may see and wants. It looks at a bounded number, so a page may be short, or empty, and
 * have a next one. What the reader may not see is passed over without looking at it, as far as it stands together.
 */
export async function walk(reading: Reading, { direction, from, to, limit, matches, relatedBy }: Walk): Promise<Page> {
  const { sight, ignored } = reading;
  const isPicky = matches !== undefined || relatedBy !== undefined || ignored.size > 0 || sight.ranges.length > 1;
  const entries: LogEntry[] = [];
  let at: number | undefined = from;
  for (let scanned = 0; scanned < limits.pageScan_events;) {
    at = nextSeen(sight.ranges, direction, at);
    if (at === undefined || entries.length === limit) return { entries, next: at };
    const needed = limit - entries.length + 1;
    const size = isPicky ? Math.max(needed, limits.pageBatch_events) : needed;
    const batch = await readBatch(reading, { direction, at, to, size });
    const related = relatedBy && new Set(await relatedAmong(reading, batch, relatedBy));
    for (const entry of batch) {
      if (entries.length === limit) return { entries, next: at };
      at = direction === "b" ? entry.position - 1 : entry.position;
      if ((related?.has(entry) ?? true) && sight.sees(entry) && isHeard(reading, entry) && (matches?.(entry) ?? true))
        entries.push(entry);
    }
    if (batch.length < size) return { entries, next: undefined };
    scanned += batch.length;
  }
  return { entries, next: at };
}

/** The place from which to walk on without looking at what can not be seen; undefined where nothing more can be. */
function nextSeen(ranges: readonly Range[], direction: Direction, at: number): number | undefined {
  if (direction === "b") {
    const range = ranges.findLast(({ first }) => first <= at);
    return range && Math.min(at, range.last);
  }
  const range = ranges.find(({ last }) => last > at);
  return range && Math.max(at, range.first - 1);
}

interface BatchOptions {
  direction: Direction;
  at: number;
  to: number | undefined;
  size: number;
}

const BACKWARDS = `select ${ENTRY_COLUMNS} from log.entries e
  where e.kind = 'event' and e.room_id = $1 and e.position <= $2 and e.position > $3 order by e.position desc limit $4`;
const FORWARDS = `select ${ENTRY_COLUMNS} from log.entries e
  where e.kind = 'event' and e.room_id = $1 and e.position > $2 and e.position <= $3 order by e.position limit $4`;

function readBatch({ db, room, sight }: Reading, { direction, at, to, size }: BatchOptions): Promise<LogEntry[]> {
  if (direction === "b") {
    const first = (sight.ranges[0]?.first ?? 0) - 1;
    return db.query<LogEntry>(BACKWARDS, [room.roomId, at, Math.max(to ?? 0, first), size]);
  }
  const last = sight.ranges.at(-1)?.last ?? 0;
  return db.query<LogEntry>(FORWARDS, [room.roomId, at, Math.min(to ?? last, last), size]);
}

/** The JSON of events as the reader gets them, with what was said about them since. */
export async function tell(reading: Reading, entries: readonly LogEntry[]): Promise<string[]> {
  const { ctx, room, session } = reading;
  const membershipAt = await membershipsOf(ctx, room, session.userId);
  const relations = await aggregationsOf(reading, entries);
  const wasIn = ({ position }: LogEntry) => membershipAt(position) === "join";
  const shown = await erasing(ctx, { room, userId: session.userId }, { entries, wasIn });
  return entries.map((entry) => {
    const json = relations.get(entry.eventId as string);
    const reader = { sessionId: session.id, membership: membershipAt(entry.position) };
    return clientEventInRoom(shown(entry), json === undefined ? reader : { ...reader, relations: json });
  });
}

/** How many events to give: what the client asks for, and never more than a page. */
export function pageLimit(asked: number | undefined, otherwise: number = limits.defaultPage_events): number {
  return Math.min(asked ?? otherwise, limits.page_events);
}
