/** One worker at a time, and one that was overtaken writes nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestDatabase, workerOn } from "../../../testkit/src/billing.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { startStripe } from "../../../testkit/src/stripe.ts";
import type { Database } from "../db/database.ts";
import { fenced, type Lease, LeaseLost, leaveLease, takeLease } from "./lease.ts";

const LONG_MS = 60_000;

async function database(): Promise<AsyncDisposable & { db: Database }> {
  const made = await createTestDatabase();
  const db = openTestDatabase(made.url);
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.close();
      await made[Symbol.asyncDispose]();
    },
  };
}

/** Time passes: by the database's clock the lease is over. */
const expire = ({ billing }: Database) =>
  billing.change("update billing.lease set expires_at = now() - interval '1 ms'");

test("of many that ask at once one gets the lease, and keeps it", async () => {
  await using here = await database();
  const { billing } = here.db;
  const asked = await Promise.all(Array.from({ length: 20 }, (_, i) => takeLease(billing, `process ${i}`, LONG_MS)));
  const [winner, ...others] = asked.filter((each) => each !== undefined);
  assert.ok(winner);
  assert.deepEqual(others, []);
  assert.deepEqual(await takeLease(billing, winner.holder, LONG_MS), winner, "it is the same lease");
});

test("the fence grows whenever the lease changes hands, also back to whoever had it", async () => {
  await using here = await database();
  const { billing } = here.db;
  const fences: (number | undefined)[] = [];
  for (const holder of ["a", "b", "a", "a"]) {
    fences.push((await takeLease(billing, holder, LONG_MS))?.fence);
    await expire(here.db);
  }
  assert.deepEqual(fences, [1, 2, 3, 4]);
});

test("whoever gives the lease back leaves it to the next at once, and takes nobody else's", async () => {
  await using here = await database();
  const { billing } = here.db;
  const first = (await takeLease(billing, "a", LONG_MS)) as Lease;
  await leaveLease(billing, first);
  const second = (await takeLease(billing, "b", LONG_MS)) as Lease;
  await leaveLease(billing, first);
  assert.equal(await takeLease(billing, "c", LONG_MS), undefined, "b has it still");
  assert.equal(second.fence, first.fence + 1);
});

test("nobody writes without the lease: not after it ran out, and not after it passed on", async () => {
  await using here = await database();
  const { billing } = here.db;
  const write = (lease: Lease) =>
    fenced(billing, lease, (db) => db.change("update billing.stream set looked_at = now()"));
  const first = (await takeLease(billing, "a", LONG_MS)) as Lease;
  assert.equal(await write(first), 1);
  await expire(here.db);
  await assert.rejects(write(first), LeaseLost);
  const second = (await takeLease(billing, "b", LONG_MS)) as Lease;
  await assert.rejects(write(first), LeaseLost);
  assert.equal(await write(second), 1);
});

test("the lease does not pass on in the middle of a write", async () => {
  await using here = await database();
  const { billing } = here.db;
  const first = (await takeLease(billing, "a", LONG_MS)) as Lease;
  const order: string[] = [];
  let taken: Promise<unknown> | undefined;
  await fenced(billing, first, async (db) => {
    // It runs out while the transaction is open, as far as the next one can see.
    taken = takeLease(billing, "a", 0)
      .then(() => takeLease(billing, "b", LONG_MS))
      .then(() => order.push("passed on"));
    await db.change("update billing.stream set looked_at = now()");
    // Until it waits for this transaction, or did not have to.
    const waits = "select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))";
    while (order.length === 0 && (await db.query(waits)).length === 0);
    order.push("written");
  });
  await taken;
  assert.deepEqual(order, ["written", "passed on"]);
});

test("of two workers one works, and the other goes on when it is gone", async () => {
  await using here = await database();
  await using stripe = await startStripe();
  const [a, b] = [workerOn(here.db, stripe), workerOn(here.db, stripe)];
  const turns = await Promise.all([a.turn(), b.turn()]);
  assert.deepEqual(turns.toSorted(), [false, true]);
  const [working, waiting] = turns[0] ? [a, b] : [b, a];
  assert.equal(await waiting.turn(), false);
  assert.equal(await working.turn(), true);
  await working.leave();
  assert.equal(await waiting.turn(), true);
  assert.equal(await working.turn(), false);
});
