/**
 * Telling a browser, or any other app with a subscription of Web Push: RFC 8030 to its push service, encrypted for it alone (RFC 8291).
 * The message has the members that gateways for Web Push give it, so that the same service worker does for both.
 */
import { createECDH } from "node:crypto";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { sendOutward } from "../../outward/request.ts";
import { endpointIn } from "../pusher-shape.ts";
import { guardOf, type Told } from "../sender/gateway.ts";
import type { Notification } from "../sender/notification.ts";
import type { HeldPusher } from "../sender/queue.ts";
import { authorizationFor } from "./vapid.ts";

/** The subscription is not there any more, or was made for another server. */
const GONE = [403, 404, 410];

/** Throws where the push service did not take it. */
export async function tellBrowser(ctx: Context, pusher: HeldPusher, notification: Notification): Promise<Told> {
  const data = JSON.parse(pusher.data) as Record<string, unknown>;
  const endpoint = endpointIn(data) as string;
  const { status } = await sendOutward(
    ctx.seams,
    {
      method: "POST",
      url: endpoint,
      headers: {
        authorization: await authorizationFor(ctx, endpoint),
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        ttl: String(limits.pushOld_ms / 1_000),
        urgency: notification.prio === "high" ? "high" : "normal",
      },
      body: await encrypted(payloadOf(notification, data), pusher.pushkey, data["auth"] as string),
      timeout_ms: limits.pushAnswer_ms,
      answer_bytes: limits.pushAnswer_bytes,
      signal: ctx.stopping,
    },
    guardOf(ctx, endpoint),
  );
  if (GONE.includes(status)) return "rejected";
  if (status < 200 || status > 299) throw new Error(`the push service answered ${status}`);
  return "sent";
}

/** The JSON of the message. A content that is too long for a push service is left to be fetched. */
export function payloadOf(notification: Notification, data: Record<string, unknown>): Buffer {
  const { devices: _devices, counts, ...about } = notification;
  const own = data["default_payload"];
  const members = { ...(typeof own === "object" ? own : {}), ...about, ...counts };
  const whole = Buffer.from(JSON.stringify(members));
  if (whole.length <= limits.webPush_bytes) return whole;
  const { room_id, event_id, unread, prio } = members as Notification & { unread?: number };
  return Buffer.from(JSON.stringify({ room_id, event_id, unread, prio }));
}

async function encrypted(payload: Buffer, pushkey: string, auth: string): Promise<Buffer> {
  const { default: ece } = await import("http_ece");
  const privateKey = createECDH("prime256v1");
  privateKey.generateKeys();
  return ece.encrypt(payload, { version: "aes128gcm", privateKey, dh: pushkey, authSecret: auth });
}
