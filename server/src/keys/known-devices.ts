/** Which devices there are: those with a session, and dehydrated ones. */
import { deviceNames } from "../auth/queries.ts";
import type { Context } from "../context.ts";

/** By user, then by device id: the device's name, or null where it has none. */
export type KnownDevices = ReadonlyMap<string, ReadonlyMap<string, string | null>>;

/** The devices of these people. Somebody without devices, or whom nobody knows, is not in it. */
export async function knownDevices(ctx: Context, userIds: readonly string[]): Promise<KnownDevices> {
  const [signedIn, dehydrated] = await Promise.all([
    deviceNames(ctx, userIds),
    ctx.db.keys.query<{ userId: string; deviceId: string; displayName: string | null }>(
      `select user_id as "userId", device_id as "deviceId", display_name as "displayName"
       from keys.dehydrated_devices where user_id = any ($1)`,
      [userIds],
    ),
  ]);
  const known = new Map<string, Map<string, string | null>>();
  for (const { userId, deviceId, displayName } of [...dehydrated, ...signedIn]) {
    const devices = known.get(userId) ?? new Map<string, string | null>();
    known.set(userId, devices.set(deviceId, displayName));
  }
  return known;
}
