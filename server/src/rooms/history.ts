/**
 * A room's state as it was at a position of the log: what people who left are shown, and what decides who may see an event.
 * Both queries walk the index over (room, type, state key, position).
 */
import type { Context } from "../context.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";

/** All state events that were current at `position`, in the order of positions; those of one type alone where it is given. */
export async function stateAt(
  ctx: Context,
  roomId: string,
  { position, type }: { position: number; type?: string },
): Promise<LogEntry[]> {
  const entries = await ctx.db.log.query<LogEntry>(
    `select distinct on (e.type, e.state_key) ${ENTRY_COLUMNS} from log.entries e
     where e.room_id = $1 and e.kind = 'event' and e.state_key is not null and e.position <= $2 and ($3::text is null or e.type = $3)
     order by e.type, e.state_key, e.position desc`,
    [roomId, position, type ?? null],
  );
  return entries.toSorted((a, b) => a.position - b.position);
}

/** The state event that was current at `position`, if there was one. */
export function stateEventAt(
  ctx: Context,
  roomId: string,
  { position, type, stateKey }: { position: number; type: string; stateKey: string },
): Promise<LogEntry | undefined> {
  return ctx.db.log.one<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.entries e
     where e.room_id = $1 and e.kind = 'event' and e.type = $2 and e.state_key = $3 and e.position <= $4
     order by e.position desc limit 1`,
    [roomId, type, stateKey, position],
  );
}

/** Whether one of these people was in the room at `position`. */
export async function wasAnyJoined(
  ctx: Context,
  roomId: string,
  { position, userIds }: { position: number; userIds: readonly string[] },
): Promise<boolean> {
  const rows = await ctx.db.log.query<{ body: string }>(
    `select e.body from unnest($2::text[]) u(user_id) cross join lateral (
       select n.body from log.entries n
       where n.room_id = $1 and n.kind = 'event' and n.type = 'm.room.member' and n.state_key = u.user_id and n.position <= $3
       order by n.position desc limit 1
     ) e`,
    [roomId, userIds, position],
  );
  return rows.some(
    ({ body }) => (JSON.parse(body) as { content: { membership?: unknown } }).content.membership === "join",
  );
}

/** Every event that ever stood at this type and state key, oldest first. */
export function stateChanges(
  ctx: Context,
  roomId: string,
  { type, stateKey }: { type: string; stateKey: string },
): Promise<LogEntry[]> {
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.entries e
     where e.room_id = $1 and e.kind = 'event' and e.type = $2 and e.state_key = $3 order by e.position`,
    [roomId, type, stateKey],
  );
}
