/** What no event tells any more is asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { billedBy, customer, invoice, openTestDatabase, subscription, workerOn } from "../../../testkit/src/billing.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { startStripe } from "../../../testkit/src/stripe.ts";
import { limits } from "../limits.ts";

async function world() {
  const stripe = await startStripe();
  const made = await createTestDatabase();
  const db = openTestDatabase(made.url);
  const worker = workerOn(db, stripe, { config: { ...billedBy(stripe), replays: true } });
  return {
    stripe,
    db,
    worker,
    known: () =>
      db.billing.query<{ id: string; status: string | null }>(
        "select object_id as id, state ->> 'status' as status from billing.objects order by object_id",
      ),
    async [Symbol.asyncDispose]() {
      await db.close();
      await made[Symbol.asyncDispose]();
      await stripe[Symbol.asyncDispose]();
    },
  };
}

test("a subscription that began before Stripe's list of events does is there, with what ended and all invoices", async () => {
  await using here = await world();
  const { stripe, worker, known } = here;
  stripe.put(customer(), "customer.created");
  stripe.put(subscription(), "customer.subscription.created");
  stripe.put(subscription({ id: "sub_0", status: "canceled" }), "customer.subscription.deleted");
  stripe.put(subscription({ id: "sub_other", customer: "cus_other" }), "customer.subscription.created");
  // More than a page.
  const count = limits.billingPage_events + 1;
  for (let i = 0; i < count; i++) stripe.put(invoice({ id: `in_${i}`, status: "paid" }), "invoice.paid");
  stripe.events.length = 0;
  await worker.turn();
  const found = await known();
  assert.deepEqual(
    found.filter(({ id }) => !id.startsWith("in_")),
    [
      { id: "cus_parley", status: null },
      { id: "sub_0", status: "canceled" },
      { id: "sub_1", status: "active" },
    ],
  );
  assert.equal(found.length, count + 3);
});

test("it is looked through once a day, and what changed without a word is mended then", async () => {
  await using here = await world();
  const { stripe, db, worker, known } = here;
  stripe.put(subscription(), "customer.subscription.created");
  stripe.put(customer(), "customer.created");
  await worker.turn();
  stripe.now_s += 60;
  stripe.put(subscription({ status: "canceled" }), "customer.subscription.deleted");
  stripe.events.length = 0;
  const status = async () => (await known()).find(({ id }) => id === "sub_1")?.status;
  await worker.turn();
  assert.equal(await status(), "active");
  await db.billing.change("update billing.stream set looked_through_at = looked_through_at - interval '1 day'");
  await worker.turn();
  assert.equal(await status(), "canceled");
});

test("an event that is older than what was looked through changes nothing back", async () => {
  await using here = await world();
  const { stripe, db, worker, known } = here;
  stripe.put(customer(), "customer.created");
  stripe.put(subscription({ status: "trialing" }), "customer.subscription.created");
  stripe.now_s += 60;
  stripe.put(subscription(), "customer.subscription.updated");
  await worker.turn();
  await workerOn(db, stripe, {
    config: { ...billedBy(stripe), handles: true, prices: { seats: undefined, storage: undefined } },
  }).turn();
  assert.deepEqual(
    (await known()).filter(({ id }) => id === "sub_1"),
    [{ id: "sub_1", status: "active" }],
  );
});
