/** To-device messages go from the log when their device has them. */
import type { Context } from "../context.ts";
import type { Service } from "./service.ts";

interface Sent {
  "de.sorunome.msc2409.to_device"?: { to_user_id: string; to_device_id: string }[];
}

/**
 * Deletes those that a transaction brought to a service which keeps the keys of its users. Another one may be sent them too, and still
 * have its devices read them by /sync. Where the database has failed over since the transaction was made, others' messages may have the
 * positions behind the fork by now: those were brought to nobody.
 */
export async function forgetDelivered(
  ctx: Context,
  service: Service,
  { body, upTo, epoch }: { body: string; upTo: number; epoch: number },
): Promise<void> {
  if (!service.takesEncryption) return;
  const messages = (JSON.parse(body) as Sent)["de.sorunome.msc2409.to_device"] ?? [];
  if (messages.length === 0) return;
  await ctx.db.log.change(
    `delete from log.entries e using unnest($1::text[], $2::text[]) d(user_id, device_id)
     where e.kind = 'to_device' and e.user_id = d.user_id and e.device_id = d.device_id
       and e.position <= least($3::bigint, (select min(f.position) from log.forks f where f.epoch > $4))`,
    [messages.map((each) => each.to_user_id), messages.map((each) => each.to_device_id), upTo, epoch],
  );
}
