/** Ending sessions, whoever asks for it. */
import type { Context } from "../context.ts";
import { forgetDevices } from "../keys/forget.ts";

export interface Ending {
  userId: string;
  /** The devices that go; all of them where nothing is said. */
  deviceIds?: readonly string[];
}

/** Resolves when the devices and their keys are gone, and this process refuses their tokens; the others are being told. */
export async function endSessions(ctx: Context, { userId, deviceIds }: Ending): Promise<void> {
  const row = await ctx.db.auth.one<Ended>(`select ${ENDED_COLUMNS} from auth.end_sessions($1, $2, null)`, [
    userId,
    deviceIds ?? null,
  ]);
  await afterEnding(ctx, userId, row);
}

/** What the functions of the auth schema that end sessions give. */
export interface Ended {
  deviceIds: string[];
  /** Of the last entry in the log; null where no session ended. */
  position: number | null;
}

export const ENDED_COLUMNS = `device_ids as "deviceIds", position`;

/**
 * What follows when sessions have ended: their tokens go from memory, then the keys of their devices. From the end of its
 * session on nobody sees a device; keys that stay behind because this was cut short go when its id is used again.
 */
export async function afterEnding(ctx: Context, userId: string, ended: Ended | undefined): Promise<void> {
  if (ended?.position == null) return;
  await ctx.log.reached(ended.position);
  await forgetDevices(ctx, userId, ended.deviceIds);
}
