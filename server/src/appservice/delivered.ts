/** To-device messages go from the log when their device has them. */
import type { Context } from "../context.ts";
import { deleteArrived } from "../log/for-devices.ts";
import type { Service } from "./service.ts";

interface Sent {
  "de.sorunome.msc2409.to_device"?: { to_user_id: string; to_device_id: string }[];
}

/**
 * Deletes those that a transaction brought to a service which keeps the keys of its users. Another one may be sent them too, and still
 * have its devices read them by /sync.
 */
export async function forgetDelivered(
  ctx: Context,
  service: Service,
  { body, upTo, epoch }: { body: string; upTo: number; epoch: number },
): Promise<void> {
  if (!service.takesEncryption) return;
  const messages = (JSON.parse(body) as Sent)["de.sorunome.msc2409.to_device"] ?? [];
  if (messages.length === 0) return;
  await deleteArrived(
    ctx.db.log,
    messages.map((each) => ({ userId: each.to_user_id, deviceId: each.to_device_id, upTo, epoch })),
  );
}
