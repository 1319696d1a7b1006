/** In whatever order and however often events arrive, the end is what Stripe has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  billedBy,
  customer,
  invoice,
  openTestDatabase,
  outcomeOf,
  subscription,
  workerOn,
} from "../../../testkit/src/billing.ts";
import { seeded } from "../../../testkit/src/log/random.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { type FakeStripe, startStripe } from "../../../testkit/src/stripe.ts";
import type { StripeEvent } from "../../../testkit/src/stripe-api.ts";
import { stripeError } from "../../../testkit/src/stripe-api.ts";
import type { Database } from "../db/database.ts";
import { limits } from "../limits.ts";
import { realSeams } from "../seams.ts";
import { openStripe } from "./client.ts";
import { deliverNext } from "./deliveries.ts";
import { eventSchema, storeEvent } from "./events.ts";
import { type Lease, takeLease } from "./lease.ts";

/** Stripe, a database, and the worker's way to store what came by a webhook. */
async function world(): Promise<
  AsyncDisposable & { stripe: FakeStripe; db: Database; arrives(...events: StripeEvent[]): Promise<void> }
> {
  const stripe = await startStripe();
  const database = await createTestDatabase();
  const db = openTestDatabase(database.url);
  return {
    stripe,
    db,
    async arrives(...events) {
      for (const event of events) {
        const body = JSON.stringify(event);
        await storeEvent(db.billing, { event: eventSchema.parse(event), body, source: "webhook" });
      }
    },
    async [Symbol.asyncDispose]() {
      await db.close();
      await database[Symbol.asyncDispose]();
      await stripe[Symbol.asyncDispose]();
    },
  };
}

/** No usage and no stream. */
const handlesOnly = (stripe: FakeStripe) => ({
  config: { ...billedBy(stripe), prices: { seats: undefined, storage: undefined }, handles: true },
});

const objects = ({ billing }: Database) =>
  billing.query<{ object_id: string; is_gone: boolean; state: Record<string, unknown> }>(
    "select object_id, is_gone, state from billing.objects order by object_id",
  );

const deliveries = ({ billing }: Database, where = "true") =>
  billing.query<{
    event_id: string;
    handler: string;
    state: string;
    attempts: number;
    changes: number;
    last_error: string | null;
  }>(
    `select event_id, handler, state, attempts, changes, last_error from billing.deliveries where ${where} order by event_id, handler`,
  );

/** All that waits is due at once. */
const hurry = ({ billing }: Database) =>
  billing.change("update billing.deliveries set due_at = now() where state = 'waiting'");

/** A short life of a subscription; beginning and end have several changes in one second. */
function live(stripe: FakeStripe): StripeEvent[] {
  const events = [stripe.put(customer(), "customer.created")];
  events.push(stripe.put(subscription({ status: "incomplete" }), "customer.subscription.created"));
  events.push(stripe.put(subscription({ status: "trialing" }), "customer.subscription.updated"));
  events.push(stripe.put(subscription({ status: "active" }), "customer.subscription.updated"));
  stripe.now_s += 1;
  events.push(stripe.put(invoice({ status: "draft" }), "invoice.created"));
  events.push(stripe.put(invoice({ status: "open", attempt_count: 1 }), "invoice.payment_failed"));
  events.push(stripe.put(invoice({ status: "paid", amount_paid: 1_500, attempt_count: 2 }), "invoice.paid"));
  events.push(stripe.put(subscription({ status: "past_due" }), "customer.subscription.updated"));
  events.push(stripe.put(subscription({ status: "canceled" }), "customer.subscription.deleted"));
  events.push(stripe.put(customer({ balance: 700, delinquent: true }), "customer.updated"));
  stripe.now_s += 60;
  return events;
}

test("events in any order, some of them twice, end in what Stripe has, and each failed payment counts once", async () => {
  let expected: unknown;
  for (let seed = 1; seed <= 8; seed++) {
    await using here = await world();
    const { stripe, db, arrives } = here;
    stripe.now_s = 1_790_000_000;
    const random = seeded(seed);
    const worker = workerOn(db, stripe, handlesOnly(stripe));
    const events = live(stripe);
    const arriving = [...events, ...events.filter(() => random.below(3) === 0)];
    for (let i = arriving.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [arriving[i], arriving[j]] = [arriving[j] as StripeEvent, arriving[i] as StripeEvent];
    }
    for (const event of arriving) {
      await arrives(event);
      if (random.below(2) === 0) assert.equal(await worker.turn(), true);
    }
    await worker.turn();
    const found = Object.fromEntries((await objects(db)).map(({ object_id, state }) => [object_id, state]));
    assert.equal(found["sub_1"]?.["status"], "canceled", `seed ${seed}`);
    assert.equal(found["in_1"]?.["status"], "paid", `seed ${seed}`);
    assert.equal(found["cus_parley"]?.["balance"], 700, `seed ${seed}`);
    assert.equal(found["in_1"]?.["subscription_id"], "sub_1");
    const outcome = await outcomeOf(db);
    assert.deepEqual(outcome, (expected ??= outcome), `seed ${seed}`);
  }
});

test("an object never goes back to what it was: every state that is shown is younger than the one before", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  const worker = workerOn(db, stripe, handlesOnly(stripe));
  const created = stripe.put(subscription({ status: "incomplete" }), "customer.subscription.created");
  stripe.now_s += 10;
  const active = stripe.put(subscription({ status: "active" }), "customer.subscription.updated");
  stripe.now_s += 10;
  const canceled = stripe.put(subscription({ status: "canceled" }), "customer.subscription.deleted");
  stripe.now_s += 10;
  const seen: unknown[] = [];
  // The second event of the first second asks Stripe, which knows the end already: what comes late must not undo it.
  for (const event of [created, { ...created, id: "evt_again" }, active, canceled]) {
    await arrives(event);
    await worker.turn();
    seen.push((await objects(db))[0]?.state["status"]);
  }
  assert.deepEqual(seen, ["incomplete", "canceled", "canceled", "canceled"]);
});

test("what Stripe has no more is told as gone", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  const worker = workerOn(db, stripe, handlesOnly(stripe));
  const drafted = stripe.put(invoice({ status: "draft" }), "invoice.created");
  const changed = stripe.put(invoice({ status: "draft", total: 2_000 }), "invoice.updated");
  stripe.objects.delete("in_1");
  await arrives(drafted, changed);
  await worker.turn();
  assert.deepEqual(
    (await objects(db)).map(({ object_id, is_gone }) => ({ object_id, is_gone })),
    [{ object_id: "in_1", is_gone: true }],
  );
  const removed = stripe.put(customer(), "customer.created");
  stripe.now_s += 1;
  const gone = {
    ...stripe.drop("cus_parley", "customer.deleted"),
    data: { object: { id: "cus_parley", object: "customer", deleted: true } },
  };
  await arrives(removed, gone);
  await worker.turn();
  assert.equal((await objects(db)).find(({ object_id }) => object_id === "cus_parley")?.is_gone, true);
});

/** Two events of one second: the second one has to ask Stripe. */
function twoAtOnce(stripe: FakeStripe): StripeEvent[] {
  return [stripe.put(invoice(), "invoice.created"), stripe.put(invoice({ total: 9 }), "invoice.updated")];
}

test("a delivery that fails comes again, later each time, and not before Stripe allows it", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  const outcomes: string[] = [];
  const inc = ({ outcome }: { outcome: string }) => outcomes.push(outcome);
  const metrics = { runs: { inc }, missed: { inc: () => {} }, holds: { set: () => {} } } as never;
  const worker = workerOn(db, stripe, { ...handlesOnly(stripe), metrics });
  await arrives(...twoAtOnce(stripe));
  stripe.cloud.plan({ times: 1, manner: stripeError(500) });
  await worker.turn();
  const dueIn = async () =>
    (
      await db.billing.one<{ s: number }>(
        "select extract(epoch from due_at - now())::double precision as s from billing.deliveries where state = 'waiting'",
      )
    )?.s as number;
  const first_s = await dueIn();
  assert.ok(first_s > 0.3 && first_s <= 1.1, `${first_s}`);
  await hurry(db);
  stripe.cloud.plan({ times: 1, manner: stripeError(429, { "retry-after": "77" }) });
  await worker.turn();
  const second_s = await dueIn();
  assert.ok(second_s > 70 && second_s <= 77, `${second_s}`);
  assert.match((await deliveries(db, "state = 'waiting'"))[0]?.last_error ?? "", /429/);
  await hurry(db);
  await worker.turn();
  assert.deepEqual(outcomes, ["changed", "failed", "failed", "changed"]);
  assert.deepEqual(await deliveries(db, "last_error is not null"), []);
});

test("a delivery that fails every time is a dead letter, and keeps no other from being handled", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  const worker = workerOn(db, stripe, handlesOnly(stripe));
  await arrives(...twoAtOnce(stripe));
  stripe.cloud.plan({ when: ({ path }) => path === "/v1/invoices/in_1", times: 1_000, manner: stripeError(500) });
  for (let attempt = 1; attempt <= limits.billing_attempts; attempt++) {
    await hurry(db);
    await worker.turn();
  }
  await arrives(stripe.put(customer(), "customer.created"));
  await worker.turn();
  assert.deepEqual(
    (await deliveries(db)).map(({ handler, state, attempts }) => ({ handler, state, attempts })),
    [
      { handler: "invoice", state: "handled", attempts: 1 },
      { handler: "invoice", state: "dead", attempts: limits.billing_attempts },
      { handler: "customer", state: "handled", attempts: 1 },
    ],
  );
});

test("an event that is not what its type says is a dead letter at once", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  await arrives(stripe.put(invoice({ total: "much" }), "invoice.created"));
  await workerOn(db, stripe, handlesOnly(stripe)).turn();
  const [dead] = await deliveries(db);
  assert.equal(dead?.state, "dead");
  assert.equal(
    dead?.last_error,
    "The event is not what its type says: total: Invalid input: expected number, received string.",
  );
});

test("a delivery that ends its process every time is a dead letter too", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  await arrives(stripe.put(customer(), "customer.created"));
  await db.billing.change("update billing.deliveries set attempts = $1", [limits.billing_attempts]);
  await workerOn(db, stripe, handlesOnly(stripe)).turn();
  const [dead] = await deliveries(db);
  assert.equal(dead?.state, "dead");
  assert.match(dead?.last_error ?? "", /ended before it was done/);
  assert.deepEqual(await objects(db), []);
});

test("a delivery that an operator discards while it runs changes nothing", async () => {
  await using here = await world();
  const { stripe, db, arrives } = here;
  const [created, updated] = twoAtOnce(stripe) as [StripeEvent, StripeEvent];
  await arrives(created);
  await workerOn(db, stripe, handlesOnly(stripe)).turn();
  await arrives(updated);
  const lease = await takeLease(db.billing, "test", 60_000);
  assert.equal(lease, undefined, "the worker has it");
  await db.billing.change("update billing.lease set expires_at = '-infinity'");
  const mine = (await takeLease(db.billing, "test", 60_000)) as Lease;
  const client = openStripe(billedBy(stripe));
  const parts = {
    db: db.billing,
    seams: realSeams,
    reached: () => {},
    settled: () => assert.fail("it was settled by somebody else"),
    async stripe() {
      await db.billing.change("update billing.deliveries set state = 'discarded' where state = 'waiting'");
      return client();
    },
  };
  assert.equal(await deliverNext(parts, mine), true);
  assert.deepEqual(
    (await deliveries(db)).map(({ state, changes }) => ({ state, changes })),
    [
      { state: "handled", changes: 1 },
      { state: "discarded", changes: 0 },
    ],
  );
  assert.equal((await objects(db))[0]?.state["total"], 1_500, "what the run would have written is taken back");
});
