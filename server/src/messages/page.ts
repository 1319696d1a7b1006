/** Walking through a room's events, in either direction, and telling them as one reader sees them. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { formatToken, parseToken } from "../log/token.ts";
import { membershipsOf, type ReadAccess, type Sight, sightOf } from "../rooms/access.ts";
import type { RoomState } from "../rooms/state.ts";
import { aggregationsOf } from "./aggregations.ts";
import { clientEventInRoom } from "./client-event.ts";

export type Direction = "b" | "f";

/** Who reads which room. */
export interface Reading {
  ctx: Context;
  room: RoomState;
  access: ReadAccess;
  session: { id: number; userId: string };
}

export interface Walk {
  direction: Direction;
  /** A token's position: backwards it gives what stands at or before it, forwards what stands behind it. */
  from: number;
  /** Where to stop, in the same sense. */
  to?: number | undefined;
  limit: number;
  matches?: ((entry: LogEntry) => boolean) | undefined;
}

export interface Page {
  entries: LogEntry[];
  /** Where the next page begins; undefined where there are no more events. */
  next: number | undefined;
}

/** The position of a client's token. Throws M_INVALID_PARAM where it is none, or is of a history that is no longer this one. */
export function positionOf(ctx: Context, token: string, parameter: string): number {
  const { epoch, position } = parseToken(token, parameter);
  if (epoch !== ctx.log.epoch)
    throw matrixError(
      "M_INVALID_PARAM",
      `"${parameter}" is from before the server was restored from a backup. Leave it out to start over.`,
    );
  return position;
}

/** The token just behind a position. */
export function tokenFor(ctx: Context, position: number): string {
  return formatToken({ epoch: ctx.log.epoch, position });
}

/** The next events that the reader may see and wants. It looks at a bounded number, so a page may be short and have a next. */
export async function walk(reading: Reading, { direction, from, to, limit, matches }: Walk): Promise<Page> {
  const { ctx, room, access, session } = reading;
  const sight = await sightOf(ctx, room, session.userId);
  const entries: LogEntry[] = [];
  let at = direction === "b" ? Math.min(from, access.upTo ?? from) : from;
  for (let scanned = 0; scanned < limits.pageScan_events;) {
    const size = Math.max(limit - entries.length + 1, limits.pageBatch_events);
    const batch = await readBatch(reading, { direction, at, to, size });
    for (const entry of batch) {
      if (entries.length === limit) return { entries, next: at };
      at = direction === "b" ? entry.position - 1 : entry.position;
      if (isWanted(entry, sight, matches)) entries.push(entry);
    }
    if (batch.length < size) return { entries, next: undefined };
    scanned += batch.length;
  }
  return { entries, next: at };
}

function isWanted(entry: LogEntry, sight: Sight, matches?: (entry: LogEntry) => boolean): boolean {
  return sight.sees(entry) && (matches?.(entry) ?? true);
}

interface BatchOptions {
  direction: Direction;
  at: number;
  to: number | undefined;
  size: number;
}

function readBatch({ ctx, room, access }: Reading, { direction, at, to, size }: BatchOptions): Promise<LogEntry[]> {
  if (direction === "b")
    return ctx.db.log.query<LogEntry>(
      `select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = $1 and e.position <= $2 and e.position > $3 order by e.position desc limit $4`,
      [room.roomId, at, to ?? 0, size],
    );
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.entries e
     where e.kind = 'event' and e.room_id = $1 and e.position > $2 and e.position <= $3 order by e.position limit $4`,
    [room.roomId, at, Math.min(to ?? Number.MAX_SAFE_INTEGER, access.upTo ?? Number.MAX_SAFE_INTEGER), size],
  );
}

/** The JSON of events as the reader gets them, with what was said about them since. */
export async function tell({ ctx, room, access, session }: Reading, entries: readonly LogEntry[]): Promise<string[]> {
  const membershipAt = await membershipsOf(ctx, room, session.userId);
  const relations = await aggregationsOf(ctx, { userId: session.userId, entries, upTo: access.upTo });
  return entries.map((entry) => {
    const json = relations.get(entry.eventId as string);
    const reader = { sessionId: session.id, membership: membershipAt(entry.position) };
    return clientEventInRoom(entry, json === undefined ? reader : { ...reader, relations: json });
  });
}

/** How many events to give: what the client asks for, but at least one and never more than a page. */
export function pageLimit(asked: number | undefined, otherwise: number = limits.defaultPage_events): number {
  return Math.min(Math.max(asked ?? otherwise, 1), limits.page_events);
}
