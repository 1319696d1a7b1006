/** What is billed is counted from the database, once a day, and Stripe is told what was counted last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { billedBy, subscription, workerOn } from "../../../testkit/src/billing.ts";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { type FakeStripe, startStripe } from "../../../testkit/src/stripe.ts";
import { stripeError } from "../../../testkit/src/stripe-api.ts";
import { limits } from "../limits.ts";
import { quantityOf } from "./usage.ts";

const GIB = 1_073_741_824;

async function world(): Promise<AsyncDisposable & { stripe: FakeStripe; parley: TestServer }> {
  const stripe = await startStripe();
  const parley = await startTestServer();
  return {
    stripe,
    parley,
    async [Symbol.asyncDispose]() {
      await parley.stop();
      await stripe[Symbol.asyncDispose]();
    },
  };
}

const usage = ({ ctx }: TestServer) =>
  ctx.db.billing.query<{ kind: string; measured: number; quantity: number; state: string; last_error: string | null }>(
    "select kind, measured, quantity, state, last_error from billing.usage order by day, kind",
  );

const handling = (stripe: FakeStripe) => ({ config: { ...billedBy(stripe), handles: true } });

test("seats are the people who were active in the last 30 days, each once, and storage is what the store holds", async () => {
  await using here = await world();
  const { stripe, parley } = here;
  stripe.put(subscription(), "customer.subscription.created");
  const [ana, , carl, gone] = await Promise.all(
    ["ana", "ben", "carl", "gone"].map((name) => registerPerson(parley.url, name)),
  );
  await request(parley.url, "POST", "/_matrix/client/v3/login", {
    body: { type: "m.login.password", identifier: { type: "m.id.user", user: "ana" }, password: "password of ana" },
  });
  await gone?.call("POST", "/_matrix/client/v3/account/deactivate", {
    auth: { type: "m.login.password", identifier: { type: "m.id.user", user: "gone" }, password: "password of gone" },
  });
  await parley.ctx.db.auth.change(
    "update auth.sessions set last_seen_at = now() - $2 * interval '1 day' where user_id = $1",
    [carl?.userId, limits.billingActive_days + 1],
  );
  const file = Buffer.alloc(1_000, "a");
  for (const body of [file, file, Buffer.alloc(500, "b")])
    await request(parley.url, "POST", "/_matrix/media/v3/upload", { token: ana?.token ?? "", body });
  await workerOn(parley.ctx.db, stripe, handling(stripe)).turn();
  assert.deepEqual(await usage(parley), [
    { kind: "seats", measured: 2, quantity: 2, state: "reported", last_error: null },
    { kind: "storage", measured: 1_500, quantity: 1, state: "reported", last_error: null },
  ]);
  const told = stripe.effects.map(({ path, form }) => ({ path, ...form }));
  assert.deepEqual(told, [
    { path: "/v1/subscription_items/si_seats", quantity: "2", proration_behavior: "none" },
    { path: "/v1/subscription_items/si_storage", quantity: "1", proration_behavior: "none" },
  ]);
});

test("a GiB that was begun is one, and nothing is none", () => {
  assert.deepEqual(
    [0, 1, GIB, GIB + 1, 5 * GIB].map((bytes) => quantityOf("storage", bytes)),
    [0, 1, 1, 2, 5],
  );
});

test("a day is counted and told once, whoever works and however often", async () => {
  await using here = await world();
  const { stripe, parley } = here;
  stripe.put(subscription(), "customer.subscription.created");
  for (let i = 0; i < 3; i++) {
    const worker = workerOn(parley.ctx.db, stripe, handling(stripe));
    assert.equal(await worker.turn(), true);
    await registerPerson(parley.url, `late${i}`);
    assert.equal(await worker.turn(), true);
    await worker.leave();
  }
  assert.equal(stripe.effects.length, 2);
  assert.equal(stripe.replayed, 0);
});

test("an answer that was lost is asked for again under the same key, and is no second report", async () => {
  await using here = await world();
  const { stripe, parley } = here;
  stripe.put(subscription(), "customer.subscription.created");
  const worker = workerOn(parley.ctx.db, stripe, handling(stripe));
  const isReport = ({ path }: { path: string }) => path === "/v1/subscription_items/si_seats";
  // Stripe's library asks a second time by itself where a connection breaks.
  stripe.cloud.plan({ when: isReport, times: 2, manner: "lose" });
  await worker.turn();
  assert.match((await usage(parley))[0]?.last_error ?? "", /connection/i);
  await parley.ctx.db.billing.change("update billing.usage set due_at = now() where state = 'waiting'");
  await worker.turn();
  assert.deepEqual(
    (await usage(parley)).map(({ state, last_error }) => ({ state, last_error })),
    [
      { state: "reported", last_error: null },
      { state: "reported", last_error: null },
    ],
  );
  assert.equal(stripe.effects.length, 2);
  assert.equal(stripe.replayed, 2);
});

test("what could not be told gives way to a later day, and is never told after it", async () => {
  await using here = await world();
  const { stripe, parley } = here;
  const worker = workerOn(parley.ctx.db, stripe, handling(stripe));
  await worker.turn();
  assert.match((await usage(parley))[0]?.last_error ?? "", /no subscription with the price price_seats/);
  await parley.ctx.db.billing.change("update billing.usage set day = day - 1");
  await registerPerson(parley.url, "ana");
  stripe.put(subscription({ id: "sub_old", status: "canceled" }), "customer.subscription.deleted");
  stripe.put(subscription(), "customer.subscription.created");
  stripe.cloud.plan({ times: 2, manner: stripeError(500) });
  await worker.turn();
  await parley.ctx.db.billing.change("update billing.usage set due_at = now()");
  await worker.turn();
  assert.deepEqual(
    (await usage(parley)).map(({ kind, quantity, state }) => `${kind} ${quantity} ${state}`),
    ["seats 0 superseded", "storage 0 superseded", "seats 1 reported", "storage 0 reported"],
  );
  assert.deepEqual(
    stripe.effects.map(({ form }) => form["quantity"]),
    ["1", "0"],
  );
});

test("only what has a price is counted", async () => {
  await using here = await world();
  const { stripe, parley } = here;
  stripe.put(subscription(), "customer.subscription.created");
  const config = { ...billedBy(stripe), handles: true, prices: { seats: undefined, storage: "price_storage" } };
  await workerOn(parley.ctx.db, stripe, { config }).turn();
  assert.deepEqual(
    (await usage(parley)).map(({ kind }) => kind),
    ["storage"],
  );
});

test("an error that Stripe answered is not asked for again: it keeps that too under the key", async () => {
  await using here = await world();
  const { stripe, parley } = here;
  stripe.put(subscription(), "customer.subscription.created");
  stripe.breaks = 2;
  const worker = workerOn(parley.ctx.db, stripe, handling(stripe));
  await worker.turn();
  assert.deepEqual(
    (await usage(parley)).map(({ state, last_error }) => ({ state, last_error })),
    Array.from({ length: 2 }, () => ({ state: "waiting", last_error: "Stripe answered 500." })),
  );
  await parley.ctx.db.billing.change("update billing.usage set due_at = clock_timestamp()");
  await worker.turn();
  assert.deepEqual(
    (await usage(parley)).map(({ state, last_error }) => ({ state, last_error })),
    Array.from({ length: 2 }, () => ({ state: "reported", last_error: null })),
  );
  assert.equal(stripe.effects.length, 2);
});
