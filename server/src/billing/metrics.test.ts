/** How far behind billing is can be read off every process that has it, and a process without it has none of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { billedBy, invoice, workerOn } from "../../../testkit/src/billing.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { startStripe } from "../../../testkit/src/stripe.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { billingMetrics } from "./metrics.ts";
import { startBilling } from "./worker.ts";

async function metric({ ctx }: Pick<TestServer, "ctx">, name: string): Promise<string[]> {
  const text = await ctx.metrics.registry.metrics();
  return text.split("\n").filter((line) => line.startsWith(name));
}

/** Looks again and again until it is so: what is told follows the database by a moment. */
async function until(what: string, isSo: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `it is not so after 15 s that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("webhooks and runs are counted by what became of them, and what waits and what is dead is told", async () => {
  await using stripe = await startStripe();
  const looks = new Set<() => void>();
  const seams: Seams = {
    ...realSeams,
    after(wait_ms, action) {
      if (wait_ms !== limits.billingLook_ms) return realSeams.after(wait_ms, action);
      looks.add(action);
      // Of what takes as long, an answer of the database that has come.
      return { cancel: () => void looks.delete(action) };
    },
  };
  await using parley = await startTestServer({ config: { billing: billedBy(stripe) }, seams });
  const { db, metrics } = parley.ctx;
  const look = async () => {
    await until("the look before is over, and the next one waits", async () => looks.size === 1);
    const [next] = looks;
    looks.clear();
    next?.();
  };
  const told = async (name: string) => Number((await metric(parley, name))[0]?.split(" ")[1]);
  const good = stripe.put(invoice({ customer: "cus_other" }), "invoice.paid");
  const bad = stripe.put(invoice({ total: "much" }), "invoice.created");
  await stripe.send(parley.url, good, bad);
  await stripe.send(parley.url, bad);
  await db.billing.change("update billing.deliveries set waiting_since = now() - interval '90 s'");
  await look();
  await until("the oldest waits", async () => (await told("parley_billing_oldest_waiting_seconds")) >= 90);
  const config = { ...billedBy(stripe), prices: { seats: undefined, storage: undefined }, handles: true };
  await workerOn(db, stripe, { config, metrics: billingMetrics({ metrics }) }).turn();
  await look();
  await until("one is dead", async () => (await told("parley_billing_dead_deliveries")) === 1);
  assert.equal(await told("parley_billing_oldest_waiting_seconds"), 0);
  assert.deepEqual((await metric(parley, "parley_billing_webhooks_total")).toSorted(), [
    'parley_billing_webhooks_total{outcome="known"} 1',
    'parley_billing_webhooks_total{outcome="other"} 1',
    'parley_billing_webhooks_total{outcome="stored"} 1',
  ]);
  assert.deepEqual(await metric(parley, "parley_billing_runs_total"), [
    'parley_billing_runs_total{handler="invoice",outcome="dead"} 1',
  ]);
  assert.deepEqual(await metric(parley, "parley_billing_lease"), ["parley_billing_lease 1"]);
});

test("a process without billing counts nothing of it, and one with it works by itself and ends", async () => {
  await using none = await startTestServer();
  assert.deepEqual(await metric(none, "parley_billing"), []);
  await using stripe = await startStripe();
  const config = { ...billedBy(stripe), handles: true };
  await using parley = await startTestServer();
  const missed = stripe.put(invoice(), "invoice.paid");
  const end = await startBilling(parley.ctx, { ...config, replays: true });
  const sql = "select 1 from billing.deliveries where event_id = $1 and state = 'handled'";
  await until("the event that was missed is handled", () => parley.ctx.db.billing.one(sql, [missed.id]));
  await end();
  const lease = await parley.ctx.db.billing.one<{ holder: string | null }>("select holder from billing.lease");
  assert.deepEqual(lease, { holder: null }, "it gave the lease back");
});
