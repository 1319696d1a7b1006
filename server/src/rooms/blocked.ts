/** Rooms that operators have blocked: nobody joins them, knocks on them or is invited to them. Who is in one stays. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";

/** Throws M_FORBIDDEN where operators have blocked the room. */
export async function refuseBlocked(ctx: Context, roomId: string): Promise<void> {
  if ((await readBlocked(ctx, [roomId])).size > 0)
    throw matrixError("M_FORBIDDEN", "This room has been blocked on this server.");
}

/** Which of the rooms are blocked. */
export async function readBlocked(ctx: Context, roomIds: readonly string[]): Promise<ReadonlySet<string>> {
  const sql = "select room_id from rooms.blocked where room_id = any ($1)";
  return new Set((await ctx.db.rooms.query<{ room_id: string }>(sql, [roomIds])).map((row) => row.room_id));
}

/** All rooms that are blocked, or may not be: an operator may block a room before anybody knows of it. */
export async function allBlocked(ctx: Context): Promise<string[]> {
  const rows = await ctx.db.rooms.query<{ room_id: string }>("select room_id from rooms.blocked order by room_id");
  return rows.map((row) => row.room_id);
}

/** Blocks the room; says whether it was not blocked before. */
export async function block(
  ctx: Context,
  { roomId, by, reason }: { roomId: string; by: string; reason: string },
): Promise<boolean> {
  const sql = "insert into rooms.blocked (room_id, blocked_by, reason) values ($1, $2, $3) on conflict do nothing";
  return (await ctx.db.rooms.change(sql, [roomId, by, reason])) > 0;
}

/** Lets people join the room again; says whether it was blocked. */
export async function unblock(ctx: Context, roomId: string): Promise<boolean> {
  return (await ctx.db.rooms.change("delete from rooms.blocked where room_id = $1", [roomId])) > 0;
}
