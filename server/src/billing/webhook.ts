/**
 * POST /api/v1/billing/events: what Stripe sends by itself. Whoever sends is known by the signature alone. An answer of 2xx says
 * that the event is stored; what it means is worked out later, by whoever has the lease.
 */
import type { Readable } from "node:stream";
import type { Context } from "../context.ts";
import { asError, matrixError } from "../errors.ts";
import { Answer, route } from "../http.ts";
import { limits } from "../limits.ts";
import { valueOf } from "../secrets/address.ts";
import { loadStripe } from "./client.ts";
import { customerOf, eventSchema, storeEvent } from "./events.ts";
import { billingMetrics } from "./metrics.ts";

export const webhook = route({
  method: "POST",
  path: "/api/v1/billing/events",
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle({ body, headers }, ctx) {
    const { billing } = ctx.config;
    if (!billing) throw matrixError("M_NOT_FOUND", "There is no billing here.");
    const bytes = await readAll(body);
    const signature = headers["stripe-signature"];
    await checkSignature(ctx, bytes, typeof signature === "string" ? signature : "");
    const text = bytes.toString("utf8");
    const event = eventSchema.safeParse(JSON.parse(text));
    if (!event.success) throw matrixError("M_BAD_JSON", "The body is no event of Stripe's.");
    const { webhooks } = billingMetrics(ctx);
    if (customerOf(event.data) !== billing.customerId) return told(webhooks, "other");
    const isNew = await storeEvent(ctx.db.billing, { event: event.data, body: text, source: "webhook" });
    return told(webhooks, isNew ? "stored" : "known");
  },
});

type Told = "stored" | "known" | "other" | "refused";

function told(webhooks: { inc(labels: { outcome: Told }): void }, outcome: Told): Answer {
  webhooks.inc({ outcome });
  return new Answer({ payload: JSON.stringify({ received: outcome }) });
}

/** Over the bytes as they came, with the time that is in the signature, and compared in constant time. */
async function checkSignature(ctx: Context, bytes: Buffer, signature: string): Promise<void> {
  const { webhooks } = await loadStripe();
  const secret = valueOf(ctx.config.billing?.webhookSecret ?? "");
  const tolerance_s = limits.billingSignature_ms / 1_000;
  try {
    webhooks.constructEvent(bytes, signature, secret, tolerance_s, undefined, ctx.seams.now_ms());
  } catch (thrown) {
    billingMetrics(ctx).webhooks.inc({ outcome: "refused" });
    ctx.logger.warn({ reason: asError(thrown).name }, "an event of billing was not signed by Stripe");
    throw matrixError("M_INVALID_SIGNATURE", "The event is not signed with the secret of this webhook.");
  }
}

async function readAll(body: unknown): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size_bytes = 0;
  for await (const part of body as Readable) {
    const bytes = part as Buffer;
    size_bytes += bytes.length;
    if (size_bytes > limits.body_bytes) throw matrixError("M_TOO_LARGE", "The event is too large.");
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
