/** What the access graph knows of devices' keys. */
import type { Context } from "../context.ts";

export interface KeyedDevice {
  userId: string;
  deviceId: string;
  /** Whether its owner's self-signing key has signed it. Specification: client-server-api, "Cross-signing". */
  isVerified: boolean;
}

/** The devices of these people that have keys. Signatures are looked for where they were uploaded with the key, and after it. */
export function keyedDevices(ctx: Context, userIds: readonly string[]): Promise<KeyedDevice[]> {
  return ctx.db.keys.query<KeyedDevice>(
    `select d.user_id as "userId", d.device_id as "deviceId", c.public_key is not null and (
         exists (select 1 from keys.signatures s where s.user_id = d.user_id and s.target = d.device_id
           and s.signer = d.user_id and s.signer_key = 'ed25519:' || c.public_key)
         or strpos(d.keys, to_json('ed25519:' || c.public_key)::text || ':') > 0
       ) as "isVerified"
     from keys.devices d left join keys.cross_signing c on c.user_id = d.user_id and c.usage = 'self_signing'
     where d.user_id = any ($1)`,
    [userIds],
  );
}
