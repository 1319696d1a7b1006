/** What remains of devices and people that are gone: nothing. */
import type { Context } from "../context.ts";

/**
 * Drops the keys of devices whose sessions have ended, and the messages that wait for them. Others stop seeing a device as
 * soon as its session ends; the domain that ends it tells them.
 */
export async function forgetDevices(ctx: Context, userId: string, deviceIds: readonly string[]): Promise<void> {
  if (deviceIds.length === 0) return;
  await ctx.db.keys.query("select keys.forget_devices($1, $2)", [userId, deviceIds]);
  await dropMessages(ctx, userId, deviceIds);
}

/**
 * Drops everything that a person has here: the keys of all devices, cross-signing keys and signatures, key backups, and
 * messages that wait. For a deactivated account, after its sessions have ended.
 */
export async function forgetUser(ctx: Context, userId: string): Promise<void> {
  const row = await ctx.db.keys.one<{ position: number }>("select keys.forget_user($1) as position", [userId]);
  await ctx.db.log.change("delete from log.entries where kind = 'to_device' and user_id = $1", [userId]);
  if (row) await ctx.log.reached(row.position);
}

/** Deletes the messages that wait for these devices. */
export async function dropMessages(ctx: Context, userId: string, deviceIds: readonly string[]): Promise<void> {
  await ctx.db.log.change(
    "delete from log.entries where kind = 'to_device' and user_id = $1 and device_id = any ($2)",
    [userId, deviceIds],
  );
}
