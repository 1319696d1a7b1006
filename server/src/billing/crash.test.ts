/**
 * A process that works on billing is killed, and made to stand still, at each of its steps in turn. Another goes on: the end is the
 * same as if nothing had happened, in the database and at Stripe.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  customer,
  invoice,
  openTestDatabase,
  outcomeOf,
  subscription,
  workerOn,
} from "../../../testkit/src/billing.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { type FakeStripe, startStripe } from "../../../testkit/src/stripe.ts";
import type { Database } from "../db/database.ts";
import { eventSchema, storeEvent } from "./events.ts";

const program = fileURLToPath(new URL("../../../testkit/src/billing-process.ts", import.meta.url));
/** Longer than any of these tests, however busy the machine is: when it is over a test says so. */
const LEASE_MS = 600_000;

interface World extends AsyncDisposable {
  stripe: FakeStripe;
  db: Database;
  databaseUrl: string;
}

/** Something of everything: events that arrived, of which one has to be asked about, two that did not, and usage to report. */
async function world(): Promise<World> {
  const stripe = await startStripe();
  const database = await createTestDatabase();
  const db = openTestDatabase(database.url);
  const arrived = [
    stripe.put(subscription({ status: "trialing" }), "customer.subscription.created"),
    stripe.put(subscription(), "customer.subscription.updated"),
    stripe.put(invoice({ attempt_count: 1 }), "invoice.payment_failed"),
  ];
  stripe.put(customer(), "customer.created");
  stripe.put(invoice({ attempt_count: 2 }), "invoice.payment_failed");
  for (const event of arrived)
    await storeEvent(db.billing, { event: eventSchema.parse(event), body: JSON.stringify(event), source: "webhook" });
  stripe.now_s += 60;
  return {
    stripe,
    db,
    databaseUrl: database.url,
    async [Symbol.asyncDispose]() {
      await db.close();
      await database[Symbol.asyncDispose]();
      await stripe[Symbol.asyncDispose]();
    },
  };
}

/** Begins the program, which sends itself the signal at a step. */
function begin({ databaseUrl, stripe }: World, step: number, signal: "SIGKILL" | "SIGSTOP") {
  const args = [program, databaseUrl, stripe.url, `${step}`, signal, `${LEASE_MS}`];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "parley-compiled") };
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env });
  const lines: string[] = [];
  let ask = () => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    lines.push(...text.split("\n").filter((line) => line !== ""));
    ask();
  });
  const ended = once(child, "close");
  /** Resolves when it has reached the step, or has ended before it. */
  const reached = new Promise<void>((resolve) => {
    ask = () => lines.length >= step && resolve();
    void ended.then(() => resolve());
  });
  return { child, lines, ended, reached };
}

/** The lease of whoever has it runs out; another works until nothing is waiting, with every retry due at once. */
async function finish({ db, stripe }: World): Promise<void> {
  await db.billing.change("update billing.lease set expires_at = '-infinity'");
  const worker = workerOn(db, stripe, { lease_ms: LEASE_MS });
  for (let turns = 0; turns === 0 || (await waiting(db)) > 0; turns++) {
    assert.ok(turns < 10, "it is not done after ten turns");
    for (const table of ["deliveries", "usage"] as const) await hurry(db, table);
    assert.equal(await worker.turn(), true);
  }
  await worker.leave();
}

const hurries = {
  deliveries: "update billing.deliveries set due_at = now() where state = 'waiting' and due_at > now()",
  usage: "update billing.usage set due_at = now() where state = 'waiting' and due_at > now()",
};
const hurry = ({ billing }: Database, table: keyof typeof hurries) => billing.change(hurries[table]);

async function waiting({ billing }: Database): Promise<number> {
  const row = await billing.one<{ count: number }>(
    `select (select count(*) from billing.deliveries where state = 'waiting') +
       (select count(*) from billing.usage where state = 'waiting') as count`,
  );
  return row?.count ?? 0;
}

/** What Stripe saw, each once, and how often each delivery changed something. */
async function check(here: World, expected: unknown, where: string): Promise<void> {
  assert.deepEqual(await outcomeOf(here.db), expected, where);
  const told = here.stripe.effects.map(({ path, form }) => `${path} ${JSON.stringify(form)}`).toSorted();
  assert.deepEqual(told, tellings, where);
  const [counted] = await here.db.billing.query<{ most: number; failures: number[] }>(
    `select max(changes)::integer as most, array_agg(changes) filter (where handler = 'payment-failure') as failures
     from billing.deliveries`,
  );
  assert.equal(counted?.most, 1, `${where}: nothing is applied twice`);
  assert.deepEqual(counted.failures, [1, 1], `${where}: what was written is what was marked, in one transaction`);
}

const tellings = [
  `/v1/subscription_items/si_seats {"quantity":"0","proration_behavior":"none"}`,
  `/v1/subscription_items/si_storage {"quantity":"0","proration_behavior":"none"}`,
];

/** The end, and the steps on the way to it, where nothing happens. */
async function undisturbed(): Promise<{ expected: unknown; steps: string[] }> {
  await using here = await world();
  const { lines, ended } = begin(here, 0, "SIGKILL");
  const [code] = (await ended) as [number];
  assert.equal(code, 0, lines.join("\n"));
  assert.equal(lines.at(-1), "done");
  await finish(here);
  const expected = await outcomeOf(here.db);
  await check(here, expected, "undisturbed");
  const { deliveries, usage } = expected as { deliveries: { state: string }[]; usage: { state: string }[] };
  assert.deepEqual(
    deliveries.map(({ state }) => state),
    Array.from({ length: 7 }, () => "handled"),
  );
  assert.deepEqual(
    usage.map(({ state }) => state),
    ["reported", "reported"],
  );
  return { expected, steps: lines.slice(0, -1) };
}

const plan = await undisturbed();

test("the steps are those that a crash can come between", () => {
  assert.deepEqual([...new Set(plan.steps)].toSorted(), [
    "delivery marked",
    "delivery prepared",
    "delivery settled",
    "delivery taken",
    "delivery written",
    "item found",
    "lease taken",
    "looked through",
    "objects kept",
    "page read",
    "page stored",
    "stream read",
    "usage counted",
    "usage kept",
    "usage noted",
    "usage taken",
    "usage told",
  ]);
});

/** The first step of each kind, and the last. */
const places = plan.steps.flatMap((step, index) =>
  plan.steps.indexOf(step) === index || plan.steps.lastIndexOf(step) === index ? [{ step, number: index + 1 }] : [],
);

for (const { step, number } of places)
  test(`a process that is killed at step ${number}, ${step}, has done everything once when another goes on`, async () => {
    await using here = await world();
    const { ended } = begin(here, number, "SIGKILL");
    const [, signal] = (await ended) as [unknown, string];
    assert.equal(signal, "SIGKILL");
    await finish(here);
    await check(here, plan.expected, step);
  });

for (const { step, number } of places.filter(
  (place, index) => places.findIndex((each) => each.step === place.step) === index,
))
  test(`a process that stands still at ${step} until another has done its work changes nothing when it goes on`, async () => {
    await using here = await world();
    const { child, lines, ended, reached } = begin(here, number, "SIGSTOP");
    try {
      await reached;
      assert.deepEqual(
        [child.exitCode, child.signalCode],
        [null, null],
        "it stands still, and has not ended before it",
      );
      await finish(here);
      await check(here, plan.expected, step);
      const before = await here.db.billing.query("select * from billing.deliveries order by event_id, handler");
      child.kill("SIGCONT");
      await ended;
      const after = await here.db.billing.query("select * from billing.deliveries order by event_id, handler");
      assert.deepEqual(after, before, lines.join("\n"));
      await check(here, plan.expected, `${step}, and after it`);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  });
