// A small server that speaks Stripe's wire protocol, as far as billing uses it: forms, idempotency keys, lists in pages, events, and
// webhooks that are signed. https://docs.stripe.com/api

import { createHmac } from "node:crypto";
import { type Cloud, serveCloud } from "./clouds/serve.ts";
import { answerStripe, listEvent, type StripeEvent, type StripeObject, type StripeState } from "./stripe-api.ts";

export type FakeStripe = AsyncDisposable &
  StripeState & {
    /** What misbehaves on demand: 429, 500, an answer that never comes or gets lost. */
    cloud: Cloud;
    url: string;
    webhookSecret: string;
    /** Makes or changes an object, and lists the event that tells. */
    put(object: StripeObject, type: string): StripeEvent;
    /** An object is no more there; the event that tells is listed. */
    drop(id: string, type: string): StripeEvent;
    /** The header of a webhook with this body. */
    sign(body: string, by?: { secret?: string; at_s?: number }): string;
    /** Sends events as webhooks to a Parley, and gives the statuses of the answers. */
    send(parley: string, ...events: readonly StripeEvent[]): Promise<number[]>;
  };

export async function startStripe(): Promise<FakeStripe> {
  const webhookSecret = "whsec_parley";
  const state: StripeState = {
    secretKey: "sk_test_parley",
    now_s: Math.floor(Date.now() / 1_000),
    events: [],
    effects: [],
    replayed: 0,
    breaks: 0,
    objects: new Map(),
    kept: new Map(),
  };
  const cloud = await serveCloud((asked) => answerStripe(state, asked));
  const sign: FakeStripe["sign"] = (body, { secret = webhookSecret, at_s = state.now_s } = {}) =>
    `t=${at_s},v1=${createHmac("sha256", secret).update(`${at_s}.${body}`).digest("hex")}`;
  return Object.assign(state, {
    cloud,
    url: cloud.url,
    webhookSecret,
    sign,
    put(object: StripeObject, type: string) {
      state.objects.set(object.id, structuredClone(object));
      return listEvent(state, object, type);
    },
    drop(id: string, type: string) {
      const object = state.objects.get(id) as StripeObject;
      state.objects.delete(id);
      return listEvent(state, object, type);
    },
    send: (parley: string, ...events: readonly StripeEvent[]) =>
      Promise.all(events.map((event) => sendWebhook(parley, event, sign))),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  });
}

async function sendWebhook(parley: string, event: StripeEvent, sign: FakeStripe["sign"]): Promise<number> {
  const body = JSON.stringify(event, null, 2);
  const headers = { "content-type": "application/json; charset=utf-8", "stripe-signature": sign(body) };
  const response = await fetch(`${parley}/api/v1/billing/events`, { method: "POST", headers, body });
  await response.text();
  return response.status;
}
