/** Accounts of application services: without a password, and with devices that have no token. */
import { beginProfile } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { listPerson } from "../directory/people.ts";
import { matrixError } from "../errors.ts";
import { forgetDevices } from "../keys/forget.ts";
import { refuseKeyId } from "./sign-in.ts";

/** Makes the account; says whether it is new. */
export async function createServiceAccount(ctx: Context, userId: string): Promise<boolean> {
  // Before the account is there, so that no account is ever missing in the directory or without a name.
  await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
  const row = await ctx.db.auth.one<{ outcome: string }>("select auth.create_account($1, null, null) as outcome", [
    userId,
  ]);
  return row?.outcome === "created";
}

/** Makes a device of this id; says whether it is new. Throws M_FORBIDDEN where the id is that of a key, or nobody may sign in to the account. */
export async function putServiceDevice(
  ctx: Context,
  { userId, deviceId, name }: { userId: string; deviceId: string; name: string | undefined },
): Promise<boolean> {
  await refuseKeyId(ctx, userId, deviceId);
  const row = await ctx.db.auth.one<{ isNew: boolean | null }>(`select auth.put_device($1, $2, $3) as "isNew"`, [
    userId,
    deviceId,
    name ?? null,
  ]);
  if (row?.isNew == null)
    throw matrixError("M_FORBIDDEN", "This account may not sign in: it is suspended or deactivated.");
  // Whoever had this device id before may have left keys behind, and messages that are not for this device.
  if (row.isNew) await forgetDevices(ctx, userId, [deviceId]);
  return row.isNew;
}
