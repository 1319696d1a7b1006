/** Legal holds: what they keep is not deleted by retention, by a purge, or with its media, whoever asks for it. */
import type { Context } from "../context.ts";

export interface Hold {
  hold_id: number;
  room_id: string | null;
  user_id: string | null;
  reason: string;
  placed_ts: number;
  placed_by: string;
  released_ts: number | null;
  released_by: string | null;
}

const COLUMNS = `hold_id, room_id, user_id, reason, floor(extract(epoch from placed_at) * 1000)::bigint as placed_ts, placed_by,
  floor(extract(epoch from released_at) * 1000)::bigint as released_ts, released_by`;

/** What is in force now. */
export async function openHolds(ctx: Context): Promise<{ rooms: string[]; users: string[] }> {
  const rows = await ctx.db.console.query<{ room_id: string | null; user_id: string | null }>(
    "select room_id, user_id from console.retention_holds where released_at is null",
  );
  return {
    rooms: rows.flatMap(({ room_id }) => room_id ?? []),
    users: rows.flatMap(({ user_id }) => user_id ?? []),
  };
}

/**
 * Whose files a hold keeps: of people on hold, and of everybody who was ever in a room on hold. To which files an encrypted room points
 * nobody here can know.
 */
export async function heldUploaders(ctx: Context): Promise<string[]> {
  const { rooms, users } = await openHolds(ctx);
  if (rooms.length === 0) return users;
  const members = await ctx.db.log.query<{ userId: string }>(
    `select distinct user_id as "userId" from log.members where room_id = any ($1)`,
    [rooms],
  );
  return [...new Set([...users, ...members.map(({ userId }) => userId)])];
}

/** Whether a hold keeps this room. */
export async function isHeld(ctx: Context, roomId: string): Promise<boolean> {
  const sql = "select 1 from console.retention_holds where released_at is null and room_id = $1 limit 1";
  return (await ctx.db.console.one(sql, [roomId])) !== undefined;
}

export function listHolds(ctx: Context, { released }: { released: boolean }): Promise<Hold[]> {
  return ctx.db.console.query<Hold>(
    `select ${COLUMNS} from console.retention_holds where $1 or released_at is null order by hold_id desc limit 500`,
    [released],
  );
}

/**
 * Places a hold. It is in force when this resolves: events that are being deleted meanwhile are gone by then, and no more follow. A job
 * that deletes files keeps to it with its next step.
 */
export async function placeHold(
  ctx: Context,
  hold: { roomId: string | undefined; userId: string | undefined; reason: string; by: string },
): Promise<Hold> {
  const row = await ctx.db.console.one<Hold>(
    `insert into console.retention_holds (room_id, user_id, reason, placed_by) values ($1, $2, $3, $4) returning ${COLUMNS}`,
    [hold.roomId ?? null, hold.userId ?? null, hold.reason, hold.by],
  );
  return row as Hold;
}

/** Ends a hold; undefined where none of that number is in force. */
export function releaseHold(ctx: Context, holdId: number, by: string): Promise<Hold | undefined> {
  return ctx.db.console.one<Hold>(
    `update console.retention_holds set released_at = now(), released_by = $2 where hold_id = $1 and released_at is null
     returning ${COLUMNS}`,
    [holdId, by],
  );
}
