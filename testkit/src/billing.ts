// What the tests of billing need: objects of Stripe's, a Parley that is billed, and workers of their own.

import { openDatabase, type Database } from "../../server/src/db/database.ts";
import { openWorker, type Worker, type WorkerParts } from "../../server/src/billing/worker.ts";
import { realSeams } from "../../server/src/seams.ts";
import type { Billing } from "../../server/src/settings/read-billing.ts";
import type { FakeStripe } from "./stripe.ts";
import type { StripeObject } from "./stripe-api.ts";

export const CUSTOMER = "cus_parley";
export const PRICES = { seats: "price_seats", storage: "price_storage" };

/** Nothing is done in the background: a test runs workers of its own. */
export function billedBy(stripe: Pick<FakeStripe, "secretKey" | "webhookSecret" | "url">): Billing {
  return {
    secretKey: stripe.secretKey,
    webhookSecret: stripe.webhookSecret,
    apiUrl: stripe.url,
    customerId: CUSTOMER,
    prices: PRICES,
    handles: false,
    replays: false,
  };
}

export function customer(changes: object = {}): StripeObject {
  return {
    id: CUSTOMER,
    object: "customer",
    created: 1_700_000_000,
    currency: "eur",
    balance: 0,
    delinquent: false,
    ...changes,
  };
}

/** With an item for each price. */
export function subscription(changes: object = {}): StripeObject {
  const period = { current_period_start: 1_789_000_000, current_period_end: 1_791_592_000 };
  const item = (id: string, price: string, unit_amount: number) => ({
    id,
    object: "subscription_item",
    quantity: 1,
    price: { id: price, object: "price", nickname: null, currency: "eur", unit_amount },
    ...period,
  });
  const data = [item("si_seats", PRICES.seats, 500), item("si_storage", PRICES.storage, 10)];
  return {
    id: "sub_1",
    object: "subscription",
    created: 1_700_000_100,
    customer: CUSTOMER,
    status: "active",
    cancel_at_period_end: false,
    items: { object: "list", data },
    ...changes,
  };
}

export function invoice(changes: object = {}): StripeObject {
  return {
    id: "in_1",
    object: "invoice",
    created: 1_700_000_200,
    customer: CUSTOMER,
    status: "open",
    number: "P-0001",
    currency: "eur",
    total: 1_500,
    amount_due: 1_500,
    amount_paid: 0,
    attempt_count: 0,
    next_payment_attempt: null,
    parent: { type: "subscription_details", subscription_details: { subscription: "sub_1" } },
    ...changes,
  };
}

/** A process that works on billing, but for the process. */
export function workerOn(
  db: Pick<Database, "billing" | "auth" | "media">,
  stripe: FakeStripe,
  options: Partial<WorkerParts> = {},
): Worker {
  const config = { ...billedBy(stripe), handles: true, replays: true };
  const logger = { warn: () => {}, info: () => {} };
  return openWorker({ db, config, serverName: "localhost", seams: realSeams, logger, rest_ms: 0, ...options });
}

/** The database of a test, for what looks at it without a server. */
export function openTestDatabase(url: string): Database {
  return openDatabase({ url, connections: 4, onError: () => {} });
}

/** What is left when all is done: what every way there has to end in. */
export async function outcomeOf({ billing }: Pick<Database, "billing">): Promise<unknown> {
  const [objects, deliveries, failures, usage] = await Promise.all([
    billing.query("select kind, object_id, is_gone, state from billing.objects order by kind, object_id"),
    billing.query("select event_id, handler, state from billing.deliveries order by event_id, handler"),
    billing.query("select event_id, invoice_id from billing.payment_failures order by event_id"),
    billing.query("select kind, measured, quantity, state from billing.usage order by kind, day"),
  ]);
  return { objects, deliveries, failures, usage };
}
