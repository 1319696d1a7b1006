/** How many keys a device has left to hand out. Specification: client-server-api, "End-to-end encryption", "Extensions to /sync". */
import type { Context } from "../context.ts";

/** The members of a sync's answer of the same names. An algorithm without keys is not in it. */
export interface Counts {
  device_one_time_keys_count: Record<string, number>;
  device_unused_fallback_key_types: string[];
}

/**
 * The device's counts as they stand in the database. Every change of them is also an entry of the log: kind `session`, type
 * `one_time_keys`, the device's user and id, and these counts as its body.
 */
export async function readKeyCounts(ctx: Context, userId: string, deviceId: string): Promise<Counts> {
  const row = await ctx.db.keys.one<{ counts: string }>("select keys.counts($1, $2) as counts", [userId, deviceId]);
  if (!row) throw new Error("keys.counts gave no row");
  return JSON.parse(row.counts) as Counts;
}
