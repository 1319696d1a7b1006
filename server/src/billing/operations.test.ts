/** What operators see of billing and do about it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { billedBy, customer, invoice, outcomeOf, subscription, workerOn } from "../../../testkit/src/billing.ts";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { type FakeStripe, startStripe } from "../../../testkit/src/stripe.ts";
import type { StripeEvent } from "../../../testkit/src/stripe-api.ts";
import { stripeError } from "../../../testkit/src/stripe-api.ts";

const BILLING = "/_parley/admin/v1/billing";

let stripe: FakeStripe;
let parley: TestServer;
let owner: Person;
let auditor: Person;
let failing: StripeEvent;

/** Everything that waits is handled, with nothing but what arrived. */
async function work(): Promise<void> {
  const worker = workerOn(parley.ctx.db, stripe, { config: { ...billedBy(stripe), handles: true } });
  assert.equal(await worker.turn(), true);
  await worker.leave();
}

before(async () => {
  stripe = await startStripe();
  parley = await startTestServer({ config: { billing: billedBy(stripe) } });
  owner = await makeAdministrator(parley, "root");
  auditor = await makeOperator(parley, "auditor", "auditor");
  stripe.now_s -= 1_000;
  const events = [
    stripe.put(customer({ delinquent: true }), "customer.updated"),
    stripe.put(subscription(), "customer.subscription.created"),
    ...[1, 2, 3].map((i) =>
      stripe.put(invoice({ id: `in_${i}`, created: 1_700_000_000 + i, status: "paid" }), "invoice.paid"),
    ),
    stripe.put(invoice({ id: "in_4", created: 1_700_000_004, due_date: 1_800_000_000 }), "invoice.payment_failed"),
    (failing = stripe.put(invoice({ id: "in_5", total: "much" }), "invoice.created")),
  ];
  stripe.now_s += 1_000;
  const told = stripe.events.length;
  assert.ok((await stripe.send(parley.url, ...events)).every((status) => status === 200));
  await work();
  // What it told Stripe comes back as two events.
  assert.deepEqual(await stripe.send(parley.url, ...stripe.events.slice(told)), [200, 200]);
  await work();
});
after(async () => {
  await parley.stop();
  await stripe[Symbol.asyncDispose]();
});

const get = (path = ""): Promise<Json> => auditor.call("GET", `${BILLING}${path}`);

test("an operator sees plan, seats, storage, the next invoice and how the work goes", async () => {
  const { plan, seats, storage, work: done, ...rest } = await get();
  assert.deepEqual(rest, {
    configured: true,
    customer_id: "cus_parley",
    delinquent: true,
    failed_payments: 1,
    // Two people, and nothing in the store.
    next_invoice: { currency: "eur", total: 2 * 500, amount_due: 2 * 500, due_ts: 1_791_592_000_000 },
    next_invoice_error: null,
  });
  assert.deepEqual(
    { ...plan, items: plan.items.map(({ is_for, quantity }: Json) => [is_for, quantity]) },
    {
      subscription_id: "sub_1",
      status: "active",
      cancel_at_period_end: false,
      cancel_ts: null,
      trial_end_ts: null,
      period_start_ts: 1_789_000_000_000,
      period_end_ts: 1_791_592_000_000,
      items: [
        ["seats", 2],
        ["storage", 0],
      ],
    },
  );
  assert.deepEqual([seats.measured, seats.quantity, seats.state, seats.last_error], [2, 2, "reported", null]);
  assert.deepEqual([storage.measured, storage.quantity, storage.state], [0, 0, "reported"]);
  assert.deepEqual(done, { waiting: 0, oldest_waiting_s: 0, dead: 1, stream_ts: null, lease_ts: null });
});

test("that Stripe does not answer is told, and keeps nothing else from being shown", async () => {
  stripe.cloud.plan({ when: ({ path }) => path === "/v1/invoices/create_preview", times: 1, manner: stripeError(500) });
  const status = await get();
  assert.equal(status.next_invoice, null);
  assert.match(status.next_invoice_error, /Stripe answered 500/);
  assert.equal(status.plan.status, "active");
});

test("invoices are listed page by page, the newest first, and by their status", async () => {
  const seen: string[] = [];
  let from = "";
  do {
    const page = await get(`/invoices?limit=2${from && `&from=${from}`}`);
    assert.ok(page.items.length <= 2);
    seen.push(...page.items.map(({ invoice_id }: Json) => invoice_id));
    from = page.next ?? "";
  } while (from !== "");
  assert.deepEqual(seen, ["in_4", "in_3", "in_2", "in_1"]);
  const { items } = await get("/invoices?status=open");
  assert.deepEqual(
    items.map(({ invoice_id, due_ts }: Json) => [invoice_id, due_ts]),
    [["in_4", 1_800_000_000_000]],
  );
});

test("events are listed with what came of them, and found by state, type, source and id", async () => {
  const ids = async (query: string) => (await get(`/events?${query}`)).items.map(({ event_id }: Json) => event_id);
  const all = await ids("");
  assert.equal(all.length, 9);
  const paged: string[] = [];
  for (let from = ""; ;) {
    const page = await get(`/events?limit=3${from && `&from=${from}`}`);
    paged.push(...page.items.map(({ event_id }: Json) => event_id));
    if (page.next === undefined) break;
    from = page.next;
  }
  assert.deepEqual(paged, all);
  assert.deepEqual(await ids("state=dead"), [failing.id]);
  assert.equal((await ids("state=handled")).length, 8);
  assert.equal((await ids("type=invoice.paid")).length, 3);
  assert.deepEqual(await ids("source=stream"), []);
  assert.deepEqual(await ids("q=in_5"), [failing.id]);
  assert.deepEqual(await ids(`q=${failing.id}`), [failing.id]);
  const [failed] = (await get("/events?type=invoice.payment_failed")).items;
  assert.deepEqual(
    failed.deliveries.map(({ handler, state, changes }: Json) => [handler, state, changes]),
    [
      ["invoice", "handled", 1],
      ["payment-failure", "handled", 1],
    ],
  );
});

test("a replay of what was applied runs, and changes nothing", async () => {
  const before_ = await outcomeOf(parley.ctx.db);
  const [failed] = (await get("/events?type=invoice.payment_failed")).items;
  assert.deepEqual(await owner.call("POST", `${BILLING}/events/${failed.event_id}/replay`), { deliveries: 2 });
  assert.equal((await get()).work.waiting, 2);
  await work();
  assert.deepEqual(await outcomeOf(parley.ctx.db), before_);
  const [again] = (await get(`/events?q=${failed.event_id}`)).items;
  assert.deepEqual(
    again.deliveries.map(({ changes, attempts }: Json) => [changes, attempts]),
    [
      [1, 1],
      [1, 1],
    ],
  );
  const range = { from_ts: 0, to_ts: (stripe.now_s + 1) * 1_000, reason: "to see" };
  assert.deepEqual(await owner.call("POST", `${BILLING}/events/replay`, { ...range, type: "invoice.paid" }), {
    deliveries: 3,
  });
  assert.deepEqual(await owner.call("POST", `${BILLING}/events/replay`, { ...range, to_ts: 1 }), { deliveries: 0 });
  assert.deepEqual(await owner.call("POST", `${BILLING}/events/replay`, range), { deliveries: 10 });
  await work();
  assert.deepEqual(await outcomeOf(parley.ctx.db), before_);
});

test("a replay mends what is not as Stripe has it", async () => {
  await parley.ctx.db.billing.change(
    `update billing.objects set state = state || '{"status": "open"}' where object_id = 'in_1'`,
  );
  const [paid] = (await get("/events?q=in_1")).items;
  await owner.call("POST", `${BILLING}/events/${paid.event_id}/replay`);
  await work();
  assert.deepEqual((await get("/invoices?status=paid")).items.length, 3);
});

test("a dead letter is retried or discarded, and both are in the audit log", async () => {
  const [letter] = (await get("/dead-letters")).items;
  assert.equal(letter.event_id, failing.id);
  assert.match(letter.last_error, /not what its type says/);
  const at = `${BILLING}/dead-letters/${failing.id}/invoice`;
  await owner.call("POST", `${at}/retry`);
  assert.deepEqual((await get("/dead-letters")).items, []);
  await work();
  assert.equal((await get("/dead-letters")).items.length, 1);
  assert.equal((await owner.ask("POST", `${at}/discard`, {})).status, 400, "without a reason");
  await owner.call("POST", `${at}/discard`, { reason: "a test of Stripe's" });
  assert.equal((await get("/events?state=discarded")).items.length, 1);
  assert.equal((await owner.ask("POST", `${at}/discard`, { reason: "again" })).status, 404);
  assert.equal((await owner.ask("POST", `${at}/retry`)).status, 404);
  const audit = await owner.call("GET", "/_parley/admin/v1/audit?limit=50");
  const acts = audit.items.map(({ action, target }: Json) => `${action} ${target}`);
  assert.ok(acts.includes(`billing.dead-letter.retry ${failing.id} invoice`), acts.join("\n"));
  assert.ok(acts.includes(`billing.dead-letter.discard ${failing.id} invoice`));
});

test("the portal is the owner's", async () => {
  assert.equal((await auditor.ask("POST", `${BILLING}/portal`)).status, 403);
  assert.match((await owner.call("POST", `${BILLING}/portal`)).url, /^https:\/\/billing\.stripe\.com\//);
  const form = stripe.effects.find(({ path }) => path === "/v1/billing_portal/sessions")?.form;
  assert.equal(form?.["customer"], "cus_parley");
  assert.match(form?.["return_url"] as string, /\/admin\/billing$/);
  stripe.cloud.plan({ times: 1, manner: stripeError(500) });
  const refused = await owner.ask("POST", `${BILLING}/portal`);
  assert.equal(refused.status, 502);
});

test("an auditor changes nothing", async () => {
  const writes = [
    `/events/${failing.id}/replay`,
    `/dead-letters/${failing.id}/invoice/retry`,
    `/dead-letters/${failing.id}/invoice/discard`,
    "/events/replay",
    "/stream/read",
  ];
  for (const path of writes) assert.equal((await auditor.ask("POST", `${BILLING}${path}`, {})).status, 403, path);
});

test("an operator has the list of Stripe read at once, back to a time", async () => {
  const { billing } = parley.ctx.db;
  await billing.change("update billing.stream set read_until = now(), looked_at = now()");
  await owner.call("POST", `${BILLING}/stream/read`, { since_ts: 1_700_000_000_000 });
  assert.deepEqual(
    await billing.query("select extract(epoch from read_until)::integer as s, looked_at from billing.stream"),
    [{ s: 1_700_000_000, looked_at: null }],
  );
});

test("what is unknown is not found, and what is wrong is refused", async () => {
  assert.equal((await owner.ask("POST", `${BILLING}/events/evt_none/replay`)).status, 404);
  assert.equal((await owner.ask("POST", `${BILLING}/dead-letters/${failing.id}/none/retry`)).status, 404);
  for (const path of ["/events?state=lost", "/events?from=abc", "/invoices?limit=0", "/dead-letters?from=WzFd"])
    assert.equal((await owner.ask("GET", `${BILLING}${path}`)).status, 400, path);
  const wrong = { from_ts: 9e15, to_ts: 1, reason: "why" };
  assert.equal((await owner.ask("POST", `${BILLING}/events/replay`, wrong)).status, 400);
});

test("where there is no billing an operator is told so, and nothing else fails", async () => {
  await using other = await startTestServer();
  const root = await makeAdministrator(other, "root");
  const status = await root.call("GET", BILLING);
  assert.equal(status.configured, false);
  assert.deepEqual(
    [status.plan, status.seats, status.next_invoice, status.next_invoice_error],
    [null, null, null, null],
  );
  for (const list of ["/invoices", "/events", "/dead-letters"])
    assert.deepEqual((await root.call("GET", `${BILLING}${list}`)).items, []);
  assert.equal((await root.ask("POST", `${BILLING}/portal`)).status, 404);
});
