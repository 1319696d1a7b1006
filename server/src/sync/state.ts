/**
 * The state sections of a sync: a room's state at a position, what of it changed in a stretch of the log, and which members
 * a client that loads them lazily needs. Specification: client-server-api, "Syncing" and "Lazy-loading room members".
 */
import type { Context } from "../context.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { membershipOf, type UserMembership } from "../rooms/cache.ts";
import type { RoomState } from "../rooms/state.ts";
import type { Stretch } from "./gather.ts";

/** The room's whole state just behind position `at`. */
export async function stateAt(ctx: Context, room: RoomState, at: number): Promise<LogEntry[]> {
  const state: LogEntry[] = [];
  const later: LogEntry[] = [];
  for (const { entry } of room.all()) (entry.position <= at ? state : later).push(entry);
  return later.length === 0 ? state : [...state, ...(await earlierState(ctx, later, at))];
}

/** For each of these state events of one room, the one that stood in its place at position `at`, if there was one. */
async function earlierState(ctx: Context, events: readonly LogEntry[], at: number): Promise<LogEntry[]> {
  // What replaced something says so in `unsigned`, and so does what was redacted since; the others had nothing in their place.
  const replacing = events.filter((event) => event.unsigned !== null);
  const [first] = replacing;
  if (!first) return [];
  return ctx.db.log.query<LogEntry>(
    `select e.* from unnest($2::text[], $3::text[]) k(type, state_key) cross join lateral (
       select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = $1 and e.type = k.type and e.state_key = k.state_key and e.position <= $4
       order by e.position desc limit 1
     ) e`,
    [first.roomId, replacing.map((event) => event.type), replacing.map((event) => event.stateKey), at],
  );
}

/** The newest state event for each key among these events. */
export function newestState(events: readonly LogEntry[]): LogEntry[] {
  const newest = new Map<string, LogEntry>();
  for (const event of events) if (event.stateKey !== null) newest.set(`${event.type}\0${event.stateKey}`, event);
  return [...newest.values()];
}

/** The state that changed in the stretch, from the log itself: for stretches that are longer than what was gathered. */
export function readStateChanges(ctx: Context, roomId: string, { since, upTo }: Stretch): Promise<LogEntry[]> {
  return ctx.db.log.query<LogEntry>(
    `select distinct on (e.type, e.state_key) ${ENTRY_COLUMNS} from log.entries e
     where e.kind = 'event' and e.room_id = $1 and e.state_key is not null and e.position > $2 and e.position <= $3
     order by e.type, e.state_key, e.position desc`,
    [roomId, since, upTo],
  );
}

/** The memberships that the person had in these rooms just behind position `at`; a room is absent where there was none. */
export async function membershipsAt(
  ctx: Context,
  userId: string,
  { roomIds, at }: { roomIds: readonly string[]; at: number },
): Promise<Map<string, UserMembership>> {
  if (roomIds.length === 0) return new Map();
  const rows = await ctx.db.log.query<LogEntry>(
    `select e.* from unnest($1::text[]) r(id) cross join lateral (
       select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = r.id and e.type = 'm.room.member' and e.state_key = $2 and e.position <= $3
       order by e.position desc limit 1
     ) e`,
    [roomIds, userId, at],
  );
  return new Map(rows.map((row) => [row.roomId as string, membershipOf(row)]));
}
