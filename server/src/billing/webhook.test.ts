/** What Stripe sends is believed for its signature alone, and stored once before the answer. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { billedBy, customer, invoice, subscription } from "../../../testkit/src/billing.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { type FakeStripe, startStripe } from "../../../testkit/src/stripe.ts";
import { connectOwner } from "../db/database.ts";

let stripe: FakeStripe;
let parley: TestServer;

before(async () => {
  stripe = await startStripe();
  parley = await startTestServer({ config: { billing: billedBy(stripe) } });
});
after(async () => {
  await parley.stop();
  await stripe[Symbol.asyncDispose]();
});

async function send(body: string, signature?: string): Promise<{ status: number; errcode?: string }> {
  const headers = {
    "content-type": "application/json",
    ...(signature === undefined ? {} : { "stripe-signature": signature }),
  };
  const response = await fetch(`${parley.url}/api/v1/billing/events`, { method: "POST", headers, body });
  return { ...((await response.json()) as object), status: response.status };
}

const stored = (id: string) =>
  parley.ctx.db.billing.one<{ body: string; source: string }>(
    "select body, source from billing.events where event_id = $1",
    [id],
  );

const waiting = (id: string) =>
  parley.ctx.db.billing.query<{ handler: string; state: string }>(
    "select handler, state from billing.deliveries where event_id = $1 order by handler",
    [id],
  );

test("an event is stored byte for byte, with a delivery for each of its handlers", async () => {
  const event = stripe.put(invoice(), "invoice.payment_failed");
  const body = `${JSON.stringify(event, null, 3)}\n \n`;
  assert.equal((await send(body, stripe.sign(body))).status, 200);
  assert.deepEqual(await stored(event.id), { body, source: "webhook" });
  assert.deepEqual(await waiting(event.id), [
    { handler: "invoice", state: "waiting" },
    { handler: "payment-failure", state: "waiting" },
  ]);
});

test("an event that comes many times at once is stored once, and every sender is told that it is", async () => {
  const event = stripe.put(subscription(), "customer.subscription.created");
  const statuses = await stripe.send(parley.url, ...Array.from({ length: 16 }, () => event));
  assert.deepEqual(
    statuses,
    Array.from({ length: 16 }, () => 200),
  );
  assert.equal((await waiting(event.id)).length, 1);
});

test("what is not signed, or by another, or was changed on its way, is refused and leaves nothing", async () => {
  const event = stripe.put(customer({ balance: 1 }), "customer.updated");
  const body = JSON.stringify(event);
  const right = stripe.sign(body);
  const wrong: readonly (readonly [why: string, body: string, signature?: string])[] = [
    ["no signature", body],
    ["an empty one", body, ""],
    ["a signature of another secret", body, stripe.sign(body, { secret: "whsec_other" })],
    ["a body with one space more", `${body} `, right],
    ["another amount", body.replace('"balance":1', '"balance":0'), right],
    ["another time", body, right.replace(/t=\d+/, `t=${stripe.now_s - 1}`)],
    ["another scheme", body, right.replace("v1=", "v0=")],
    ["half a signature", body, right.slice(0, -32)],
    ["an old signature", body, stripe.sign(body, { at_s: stripe.now_s - 301 })],
    ["no body", "", right],
  ];
  for (const [why, sent, signature] of wrong) {
    const { status, errcode } = await send(sent, signature);
    assert.deepEqual({ status, errcode }, { status: 400, errcode: "M_INVALID_SIGNATURE" }, why);
  }
  assert.equal(await stored(event.id), undefined);
  assert.equal((await send(body, right)).status, 200, "and the same, as it was signed, is taken");
});

test("while Stripe changes its secret it signs with both, and one that is right is enough", async () => {
  const body = JSON.stringify(stripe.put(customer(), "customer.updated"));
  const other = stripe.sign(body, { secret: "whsec_next" }).split(",")[1];
  assert.equal((await send(body, `${stripe.sign(body)},${other}`)).status, 200);
});

test("an event about another customer of the account is answered, and not kept", async () => {
  const theirs = [
    stripe.put(customer({ id: "cus_other" }), "customer.created"),
    stripe.put(invoice({ customer: "cus_other" }), "invoice.paid"),
    stripe.put({ id: "prod_1", object: "product" }, "product.created"),
  ];
  assert.deepEqual(await stripe.send(parley.url, ...theirs), [200, 200, 200]);
  for (const { id } of theirs) assert.equal(await stored(id), undefined);
});

test("an event that nobody handles is kept, for whoever looks at what came", async () => {
  const event = stripe.put(invoice(), "invoice.sent");
  assert.deepEqual(await stripe.send(parley.url, event), [200]);
  assert.equal((await stored(event.id))?.source, "webhook");
  assert.deepEqual(await waiting(event.id), []);
});

test("what is signed and no event is refused", async () => {
  for (const body of ["[]", `{"id":"evt_x"}`, `{"id":"evt_x","type":"a","created":1,"data":{}}`])
    assert.equal((await send(body, stripe.sign(body))).status, 400, body);
});

test("a sender is not told that an event is stored where it could not be", async () => {
  const event = stripe.put(invoice(), "invoice.updated");
  const owner = await connectOwner(parley.databaseUrl, "parley test");
  try {
    await owner.query("alter table billing.deliveries add constraint none_fits check (event_id is null) not valid");
    const [status = 0] = await stripe.send(parley.url, event);
    assert.ok(status >= 500, `${status}`);
    assert.equal(await stored(event.id), undefined, "neither the event nor a part of it");
    await owner.query("alter table billing.deliveries drop constraint none_fits");
    assert.deepEqual(await stripe.send(parley.url, event), [200], "Stripe sends it again");
  } finally {
    await owner.end();
  }
  assert.equal((await waiting(event.id)).length, 1);
});

test("where there is no billing there is no webhook", async () => {
  await using other = await startTestServer();
  const response = await fetch(`${other.url}/api/v1/billing/events`, { method: "POST", body: "{}" });
  assert.equal(response.status, 404);
});
