/** What never arrived is found in Stripe's list of events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { customer, invoice, openTestDatabase, subscription, workerOn } from "../../../testkit/src/billing.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { type FakeStripe, startStripe } from "../../../testkit/src/stripe.ts";
import { type StripeEvent, stripeError } from "../../../testkit/src/stripe-api.ts";
import type { Database } from "../db/database.ts";
import { limits } from "../limits.ts";
import { openStripe } from "./client.ts";
import { eventSchema, storeEvent } from "./events.ts";
import { handledTypes } from "./handlers.ts";
import { takeLease } from "./lease.ts";
import { readStreamSoon } from "./replays.ts";
import { followStream, type Following } from "./stream.ts";

async function world(): Promise<AsyncDisposable & { stripe: FakeStripe; db: Database }> {
  const stripe = await startStripe();
  const made = await createTestDatabase();
  const db = openTestDatabase(made.url);
  return {
    stripe,
    db,
    async [Symbol.asyncDispose]() {
      await db.close();
      await made[Symbol.asyncDispose]();
      await stripe[Symbol.asyncDispose]();
    },
  };
}

const stored = ({ billing }: Database) =>
  billing.query<{ event_id: string; source: string }>("select event_id, source from billing.events order by event_id");

const readUntil_s = async ({ billing }: Database) =>
  (
    await billing.one<{ s: number | null }>(
      "select extract(epoch from read_until)::double precision as s from billing.stream",
    )
  )?.s;

const arrives = ({ billing }: Database, event: StripeEvent) =>
  storeEvent(billing, { event: eventSchema.parse(event), body: JSON.stringify(event), source: "webhook" });

test("an event whose webhook was missed is stored and handled; one that came is not stored again", async () => {
  await using here = await world();
  const { stripe, db } = here;
  const came = stripe.put(customer(), "customer.created");
  await arrives(db, came);
  const missed = stripe.put(subscription(), "customer.subscription.created");
  stripe.put(customer({ id: "cus_other" }), "customer.created");
  stripe.put(invoice(), "invoice.sent");
  await workerOn(db, stripe, { stream_ms: 60_000, config: { ...configOf(stripe), prices: none } }).turn();
  assert.deepEqual(await stored(db), [
    { event_id: came.id, source: "webhook" },
    { event_id: missed.id, source: "stream" },
  ]);
  const [found] = await db.billing.query<{ state: string; changes: number }>(
    "select state, changes from billing.deliveries where event_id = $1",
    [missed.id],
  );
  assert.deepEqual(found, { state: "handled", changes: 1 });
});

const none = { seats: undefined, storage: undefined };
const configOf = (stripe: FakeStripe) => ({
  secretKey: stripe.secretKey,
  webhookSecret: stripe.webhookSecret,
  apiUrl: stripe.url,
  customerId: "cus_parley",
  prices: none,
  handles: true,
  replays: true,
});

test("a list of many pages is read to its end, and goes on where it was broken off", async () => {
  await using here = await world();
  const { stripe, db } = here;
  const count = 2 * limits.billingPage_events + 5;
  for (let i = 0; i < count; i++) {
    stripe.put(invoice({ id: `in_${i}` }), "invoice.created");
    if (i % 50 === 0) stripe.now_s += 1;
  }
  const config = { ...configOf(stripe), handles: false };
  const pages = () => stripe.cloud.asked.filter((asked) => asked === "GET /v1/events").length;
  stripe.cloud.plan({ when: ({ query }) => query.has("starting_after"), times: 1, manner: stripeError(500) });
  await workerOn(db, stripe, { stream_ms: 60_000, config }).turn();
  assert.equal((await stored(db)).length, limits.billingPage_events);
  assert.equal(await readUntil_s(db), null, "what was not read to its end was not read");
  await db.billing.change("update billing.lease set expires_at = '-infinity'");
  await workerOn(db, stripe, { stream_ms: 60_000, config }).turn();
  assert.equal((await stored(db)).length, count);
  assert.equal(await readUntil_s(db), stripe.events.at(-1)?.created);
  assert.equal(pages(), 2 + 3);
});

test("the list is asked for what is new, with some overlap for events that appear late, and not sooner than it is due", async () => {
  await using here = await world();
  const { stripe, db } = here;
  const overlap_s = limits.billingOverlap_ms / 1_000;
  const old = stripe.put(customer(), "customer.created");
  stripe.now_s += 10 * overlap_s;
  stripe.put(customer({ balance: 1 }), "customer.updated");
  const config = { ...configOf(stripe), handles: false };
  const worker = workerOn(db, stripe, { stream_ms: 60_000, config });
  const asked: URLSearchParams[] = [];
  const isList = (path: string) => path.startsWith("/v1/events");
  stripe.cloud.plan({
    when: ({ path, query }) => isList(path) && asked.push(query) === 0,
    times: 1,
    manner: "cut",
  });
  await worker.turn();
  await worker.turn();
  assert.equal(asked.length, 1, "it is not due");
  assert.equal(asked[0]?.get("created[gte]"), null, "at first everything");
  assert.equal([...(asked[0] ?? [])].filter(([name]) => name.startsWith("types[")).length, handledTypes.length);

  // One that was made before the newest appears only now; one that is far older does not matter any more.
  const late = { ...old, id: "evt_late", created: stripe.now_s - overlap_s + 1 };
  stripe.events.splice(1, 0, late);
  await db.billing.change("update billing.stream set looked_at = now() - interval '1 hour'");
  await worker.turn();
  assert.equal(asked[1]?.get("created[gte]"), `${stripe.now_s - overlap_s}`);
  assert.ok((await stored(db)).some(({ event_id }) => event_id === "evt_late"));
});

test("a reading that is asked for during another is made after it, from where it was asked for", async () => {
  await using here = await world();
  const { stripe, db } = here;
  const old = stripe.put(customer(), "customer.created");
  stripe.now_s += 1_000_000;
  stripe.put(customer({ balance: 1 }), "customer.updated");
  const lease = await takeLease(db.billing, "test", 60_000);
  assert.ok(lease);
  let asks = 1;
  const keep = async (): Promise<void> => {
    if (asks-- > 0) await readStreamSoon(db.billing, old.created * 1_000);
  };
  const parts: Following = {
    db: db.billing,
    stripe: openStripe(configOf(stripe)),
    customerId: "cus_parley",
    reached: () => {},
    found: () => {},
    keep,
  };
  const froms: (string | null)[] = [];
  const notes = ({ query }: { query: URLSearchParams }) => froms.push(query.get("created[gte]")) === 0;
  stripe.cloud.plan({ when: notes, times: 1, manner: "cut" });
  while (await followStream(parts, lease, 60_000));
  asks = 1;
  await readStreamSoon(db.billing, undefined);
  while (await followStream(parts, lease, 60_000));
  const since = (at_s: number) => `${at_s - limits.billingOverlap_ms / 1_000}`;
  const newest_s = stripe.events.at(-1)?.created as number;
  assert.deepEqual(
    froms,
    [null, null, since(newest_s), since(old.created)],
    "what was never read is read from its beginning",
  );
  assert.equal(await readUntil_s(db), newest_s);
});

test("one question may name all types that are handled", () => {
  assert.ok(handledTypes.length > 0 && handledTypes.length <= 20);
  assert.equal(new Set(handledTypes).size, handledTypes.length);
});
