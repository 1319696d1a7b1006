/** Which devices their owners have verified: the self-signing key of the person has signed the device's keys. */
import type { Context } from "../context.ts";

export interface VerifiedDevice {
  userId: string;
  deviceId: string;
}

/** The verified devices of these people. */
export function verifiedDevices(ctx: Context, userIds: readonly string[]): Promise<VerifiedDevice[]> {
  return ctx.db.keys.query<VerifiedDevice>(
    `select d.user_id as "userId", d.device_id as "deviceId"
     from keys.devices d
       join keys.cross_signing c on c.user_id = d.user_id and c.usage = 'self_signing'
       join keys.signatures s on s.user_id = d.user_id and s.target = d.device_id and s.signer = d.user_id
         and s.signer_key = 'ed25519:' || c.public_key
     where d.user_id = any ($1)`,
    [userIds],
  );
}
