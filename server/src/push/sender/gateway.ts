/** Telling one push gateway one thing. */
import type { Context } from "../../context.ts";
import type { GuardOptions } from "../../outward/guard.ts";
import { sendOutward } from "../../outward/request.ts";
import { limits } from "../../limits.ts";
import { PUSH_HOSTS } from "../config.ts";
import type { Notification } from "./notification.ts";
import type { HeldPusher } from "./queue.ts";

/** Rejected: the device is not there any more, and neither should the pusher be. */
export type Told = "sent" | "rejected";

/**
 * Pushers are set by anybody who has an account: what they name is on the public internet, or the operator named it too. What goes through
 * the public internet goes encrypted: of `http` addresses the operator named each.
 */
export function guardOf({ config }: Pick<Context, "config">, url: string): GuardOptions {
  return { allowed: config.push.hosts, setting: PUSH_HOSTS, isPublicAllowed: URL.parse(url)?.protocol === "https:" };
}

/** Throws where the gateway did not take it. */
export async function tellGateway(ctx: Context, pusher: HeldPusher, notification: Notification): Promise<Told> {
  const { url } = JSON.parse(pusher.data) as { url: string };
  const { status, body } = await sendOutward(
    ctx.seams,
    {
      method: "POST",
      url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ notification }),
      timeout_ms: limits.pushAnswer_ms,
      answer_bytes: limits.pushAnswer_bytes,
      signal: ctx.stopping,
    },
    guardOf(ctx, url),
  );
  if (status < 200 || status > 299) throw new Error(`the gateway answered ${status}`);
  return rejectedIn(body.toString()).includes(pusher.pushkey) ? "rejected" : "sent";
}

/** What is taken with an answer that is not as it should be is taken all the same. */
function rejectedIn(text: string): unknown[] {
  try {
    const { rejected } = JSON.parse(text) as { rejected?: unknown };
    return Array.isArray(rejected) ? rejected : [];
  } catch {
    return [];
  }
}
