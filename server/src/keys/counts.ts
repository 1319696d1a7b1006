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
  const [counts] = await readManyKeyCounts(ctx, [{ userId, deviceId }]);
  return counts as Counts;
}

/** Those of many devices, in their order. */
export async function readManyKeyCounts(
  ctx: Context,
  devices: readonly { userId: string; deviceId: string }[],
): Promise<Counts[]> {
  const rows = await ctx.db.keys.query<{ counts: string }>(
    `select keys.counts(d.user_id, d.device_id) as counts
     from unnest($1::text[], $2::text[]) with ordinality d(user_id, device_id, n) order by d.n`,
    [devices.map(({ userId }) => userId), devices.map(({ deviceId }) => deviceId)],
  );
  return rows.map(({ counts }) => JSON.parse(counts) as Counts);
}
