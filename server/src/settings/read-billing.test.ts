/** What stops a start, and what each process does of billing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../config.ts";

const stripe = {
  STRIPE_SECRET_KEY: "sk_test_hunter2",
  STRIPE_WEBHOOK_SECRET: "whsec_hunter2",
  STRIPE_CUSTOMER_ID: "cus_1",
  STRIPE_SEAT_PRICE_ID: "price_seats",
};
const retry = "ENABLE_BILLING_RETRY_WORKER";
const replay = "ENABLE_BILLING_STREAM_REPLAY";
const dedicated = { BILLING_RETRY_DEPLOYMENT_MODE: "dedicated" };

/** What the process does: handling events, and reading their stream. */
function does(env: Record<string, string>): [boolean | undefined, boolean | undefined] {
  const { billing } = readConfig({ ...stripe, ...env });
  return [billing?.handles, billing?.replays];
}

test("there is no billing where nothing of Stripe is set, whatever the switches of a starter chart say", () => {
  assert.equal(readConfig({}).billing, undefined);
  assert.equal(readConfig({ [retry]: "true", [replay]: "true", ...dedicated, ROLES: "worker" }).billing, undefined);
});

test("billing that is half configured stops the start with what is missing, and tells no secret", () => {
  for (const name of Object.keys(stripe)) {
    const env: Record<string, string> = { ...stripe };
    delete env[name];
    assert.throws(
      () => readConfig(env),
      (error: Error) =>
        error.message.includes(name) && /set it|set STRIPE/.test(error.message) && !error.message.includes("hunter2"),
      name,
    );
    assert.throws(
      () => readConfig({ [name]: stripe[name as keyof typeof stripe] }),
      /is set, and .* is not: set it, such as to/,
    );
  }
  assert.throws(() => readConfig({ STRIPE_API_URL: "http://127.0.0.1:12111" }), /STRIPE_SECRET_KEY is not: set it/);
});

test("one price is enough, and the address of Stripe's API is the real one", () => {
  const { STRIPE_SEAT_PRICE_ID: _, ...rest } = stripe;
  assert.deepEqual(readConfig({ ...rest, STRIPE_STORAGE_PRICE_ID: "price_storage" }).billing, {
    secretKey: "sk_test_hunter2",
    webhookSecret: "whsec_hunter2",
    customerId: "cus_1",
    prices: { seats: undefined, storage: "price_storage" },
    apiUrl: "https://api.stripe.com",
    handles: true,
    replays: true,
  });
});

test("secrets may stand in files", () => {
  const files = { STRIPE_SECRET_KEY: "file:///run/secrets/key", STRIPE_WEBHOOK_SECRET: "file:///run/secrets/webhook" };
  assert.equal(readConfig({ ...stripe, ...files }).billing?.secretKey, files.STRIPE_SECRET_KEY);
});

test("workers do the work, without a dedicated one the web too, and any process that is told to", () => {
  assert.deepEqual(does({}), [true, true]);
  assert.deepEqual(does({ ROLES: "worker" }), [true, true]);
  assert.deepEqual(does({ ROLES: "web" }), [true, true]);
  assert.deepEqual(does({ ROLES: "auth" }), [false, false]);
  assert.deepEqual(does({ ROLES: "auth", [replay]: "true" }), [false, true]);
  assert.deepEqual(does({ [retry]: "false" }), [false, true]);
});

test("a dedicated worker has the role worker, and nobody else does its work", () => {
  assert.deepEqual(does({ ...dedicated, ROLES: "worker" }), [true, true]);
  assert.deepEqual(does({ ...dedicated, ROLES: "web" }), [false, false]);
  for (const on of [retry, replay])
    for (const configured of [stripe, {}])
      assert.throws(
        () => readConfig({ ...configured, ...dedicated, [on]: "true", ROLES: "web" }),
        new RegExp(`set it to embedded, ROLES to some with worker, or ${on} to false`),
      );
});
