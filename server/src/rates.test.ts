import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../../testkit/src/simulation.ts";
import { openMemoryStore } from "./ephemeral/memory.ts";
import type { Store } from "./ephemeral/store.ts";
import { limits } from "./limits.ts";
import { createRates } from "./rates.ts";

const { burst, perSecond } = limits.rates.login;
const full = { errcode: "M_LIMIT_EXCEEDED", status: 429 };

/** Replicas on one store, and how often each asked it. */
function open({ isEnabled = true, isAway = false } = {}) {
  const world = simulate(1);
  const store = openMemoryStore(world.seams);
  let asked = 0;
  const shared = {
    async spend(spendings: Parameters<Store["spend"]>[0]) {
      asked += 1;
      return isAway ? undefined : store.spend(spendings);
    },
  };
  const replica = () => createRates({ seams: world.seams, shared, isEnabled });
  return { world, replica, asked: () => asked };
}

test("a burst passes, then one request for each token that has grown back, and the refusal says when", async () => {
  const { world, replica } = open();
  const rates = replica();
  for (let i = 0; i < burst; i++) await rates.admit("login", "alice");
  const retryAfter_ms = 1_000 / perSecond;
  await assert.rejects(rates.admit("login", "alice"), { ...full, retryAfter_ms });
  await world.advance(retryAfter_ms - 1);
  await assert.rejects(rates.admit("login", "alice"), full);
  await world.advance(1);
  await rates.admit("login", "alice");
  await assert.rejects(rates.admit("login", "alice"), full);
});

test("one person's requests cost another nothing, nor requests of another kind", async () => {
  const rates = open().replica();
  for (let i = 0; i < burst; i++) await rates.admit("login", "alice");
  await rates.admit("login", "bob");
  await rates.admit("register", "alice");
});

test("a check takes no token, and finds out that there is none", async () => {
  const rates = open().replica();
  for (let i = 0; i < 3 * burst; i++) await rates.check("login", "alice");
  for (let i = 0; i < burst; i++) await rates.admit("login", "alice");
  await assert.rejects(rates.check("login", "alice"), full);
});

test("tokens never grow beyond the burst", async () => {
  const { world, replica } = open();
  const rates = replica();
  await rates.admit("login", "alice");
  await world.advance(1e9);
  for (let i = 0; i < burst; i++) await rates.admit("login", "alice");
  await assert.rejects(rates.admit("login", "alice"), full);
});

test("switched off, everything passes", async () => {
  const rates = open({ isEnabled: false }).replica();
  for (let i = 0; i < 10 * burst; i++) await rates.admit("login", "alice");
  for (let i = 0; i < 1_000; i++) rates.take("send", 1);
});

test("a strict limit holds over all replicas exactly, also for those who come at once", async () => {
  const { replica } = open();
  const replicas = [replica(), replica(), replica()];
  const all = replicas.flatMap((each) => Array.from({ length: burst }, () => each.admit("login", "alice")));
  const passed = (await Promise.allSettled(all)).filter(({ status }) => status === "fulfilled");
  assert.equal(passed.length, burst);
  for (const each of replicas) await assert.rejects(each.check("login", "alice"), full);
});

test("a loose limit waits for nothing, and over all replicas lets through little more than on one", async () => {
  const { world, replica, asked } = open();
  const replicas = [replica(), replica(), replica()];
  const send = limits.rates.send;
  let passed = 0;
  const seconds = 30;
  // Each replica is asked for twice as much as all together may pass.
  for (let tick = 0; tick < seconds * 10; tick++) {
    for (const each of replicas)
      for (let i = 0; i < (2 * send.perSecond) / 10; i++)
        try {
          each.take("send", 1);
          passed += 1;
        } catch {
          // Refused, as it should be.
        }
    await world.advance(100);
  }
  const exact = send.burst + seconds * send.perSecond;
  // What each may hold back, and what each spends until it learns of the others.
  const slack = replicas.length * (send.burst * limits.bucketsShare_part + 2 * send.perSecond);
  assert.ok(passed >= exact - slack && passed <= exact + slack, `${passed} passed, exact would be ${exact}`);
  assert.ok(passed < 2 * exact, "each replica on its own would let through three times as much");
  assert.ok(asked() <= replicas.length * seconds, `${asked()} round trips`);
});

test("who sends little costs no round trip at all", async () => {
  const { world, replica, asked } = open();
  const rates = replica();
  for (let i = 0; i < 100; i++) {
    rates.take("send", 1);
    await world.advance(1_000);
  }
  assert.equal(asked(), 0);
  assert.equal(world.timers(), 0);
});

test("while the store is away each process keeps to the limits by itself", async () => {
  const rates = open({ isAway: true }).replica();
  for (let i = 0; i < burst; i++) await rates.admit("login", "alice");
  await assert.rejects(rates.admit("login", "alice"), full);
});
