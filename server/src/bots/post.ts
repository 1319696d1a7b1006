/**
 * `POST /api/hooks/{webhookId}/{secret}` with `{"text": "…"}`: a message in the webhook's room, by its bot. The same `Idempotency-Key`
 * again is the same message, on whichever replica it arrives: the log knows the transaction. What came in is noted, with the
 * headers that are no secret, and without what it said. See docs/operations/bots.md.
 */
import { z } from "zod";
import { readStanding } from "../auth/for-operators.ts";
import type { Context } from "../context.ts";
import { asError, matrixError, MatrixError } from "../errors.ts";
import { route, type Request } from "../http.ts";
import { limits } from "../limits.ts";
import { append, newSending } from "../messages/sending.ts";
import { randomToken } from "../seams.ts";
import { keptOf } from "./kept-headers.ts";
import { type Delivery, noteDelivery, openWebhook, type Webhook } from "./webhooks.ts";

const body = z.looseObject({ text: z.string().trim().min(1).max(limits.webhookText_characters) });

/** No session has this number: the transactions of webhooks are nobody's else. */
const NO_SESSION = 0;

export const postToWebhook = route({
  method: "POST",
  path: "/api/hooks/:webhookId/:secret",
  access: "anyone",
  rate: "webhook",
  body,
  bodyLimit_bytes: limits.event_bytes,
  async handle({ params, body: { text }, headers, address }: Request<z.output<typeof body>, unknown, undefined>, ctx) {
    const webhook = await openWebhook(ctx, params["webhookId"] as string, params["secret"] as string);
    if (!webhook) throw matrixError("M_NOT_FOUND", "There is no such webhook, or its address was changed.");
    const begun_ms = ctx.seams.monotonic_ms();
    const key = keyOf(headers["idempotency-key"]);
    const noted = { address, idempotency_key: key ?? null, size_bytes: Buffer.byteLength(text), ...keptOf(headers) };
    /** What was posted stays so, also where that can not be noted: an error would have it posted once more. */
    const note = async (outcome: Pick<Delivery, "status" | "event_id" | "error">): Promise<void> => {
      const took_ms = ctx.seams.monotonic_ms() - begun_ms;
      await noteDelivery(ctx, webhook.id, { ...noted, ...outcome, took_ms }).catch((thrown: unknown) =>
        ctx.logger.warn({ reason: asError(thrown).message }, "a delivery of a webhook could not be noted"),
      );
    };
    try {
      await ctx.rates.admit("send", `webhook ${webhook.id}`);
      const event_id = await post(ctx, webhook, { text, key });
      await note({ status: 200, event_id, error: null });
      return { event_id };
    } catch (thrown) {
      const { status, message } =
        thrown instanceof MatrixError ? thrown : { status: 500, message: "Something went wrong here." };
      await note({ status, event_id: null, error: message });
      throw thrown;
    }
  },
});

/** Throws M_INVALID_PARAM. */
function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== "string" || !/^[\x21-\x7e]{1,100}$/.test(header))
    throw matrixError("M_INVALID_PARAM", "Idempotency-Key must be 1 to 100 characters of ASCII without spaces.");
  return header;
}

async function post(
  ctx: Context,
  { id, bot, room_id }: Webhook,
  { text, key }: { text: string; key: string | undefined },
) {
  if (!(await readStanding(ctx, bot))?.isActive)
    throw matrixError("M_FORBIDDEN", "The bot of this webhook has been suspended or deactivated.");
  if (await isEncrypted(ctx, room_id)) throw matrixError("M_FORBIDDEN", "The room has been encrypted meanwhile.");
  const sending = newSending(ctx, {
    session: { id: NO_SESSION, userId: bot },
    roomId: room_id,
    type: "m.room.message",
    txnId: `webhook ${id} ${key ?? randomToken(ctx.seams, 12)}`,
    content: { msgtype: "m.text", body: text },
  });
  return append(ctx, sending);
}

export async function isEncrypted(ctx: Context, roomId: string): Promise<boolean> {
  return (await ctx.rooms.load(roomId)).get("m.room.encryption", "") !== undefined;
}
