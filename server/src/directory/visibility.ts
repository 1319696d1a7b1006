/** Whether a room stands in the published room directory. Specification: client-server-api, "Published room directory". */
import type { Context } from "../context.ts";
import { refreshPublished } from "./published.ts";

/** Puts the room into the directory. */
export async function publish(ctx: Context, roomId: string): Promise<void> {
  await ctx.db.rooms.change(
    "insert into rooms.published (room_id) values ($1) on conflict (room_id) do update set in_main = true",
    [roomId],
  );
  await refreshPublished(ctx, [roomId]);
}

/** Takes the room out of the directory. It stays in those of application services. */
export async function withdraw(ctx: Context, roomId: string): Promise<void> {
  await ctx.db.rooms.change(
    `with listed as (
       update rooms.published p set in_main = false
       where room_id = $1 and exists (select from rooms.networks n where n.room_id = p.room_id) returning room_id
     )
     delete from rooms.published where room_id = $1 and not exists (select from listed)`,
    [roomId],
  );
}

/** Puts a room into the directory in place of the one that it replaces, if that was there. */
export async function replacePublished(ctx: Context, from: string, to: string): Promise<void> {
  if (!(await isPublished(ctx, from))) return;
  await publish(ctx, to);
  await withdraw(ctx, from);
}

/** Those of the rooms that stand in the directory. */
export async function publishedAmong(ctx: Context, roomIds: readonly string[]): Promise<ReadonlySet<string>> {
  const sql = `select room_id as "roomId" from rooms.published where room_id = any ($1)`;
  return new Set((await ctx.db.rooms.query<{ roomId: string }>(sql, [roomIds])).map(({ roomId }) => roomId));
}

export async function isPublished(ctx: Context, roomId: string): Promise<boolean> {
  return (
    (await ctx.db.rooms.one("select 1 from rooms.published where room_id = $1 and in_main", [roomId])) !== undefined
  );
}
