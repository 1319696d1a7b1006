import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../../testkit/src/simulation.ts";
import { limits } from "./limits.ts";
import { createRates } from "./rates.ts";

const { burst, perSecond } = limits.rates.login;

test("a burst passes, then one request for each token that has grown back, and the refusal says when", async () => {
  const world = simulate(1);
  const rates = createRates(world.seams, true);
  for (let i = 0; i < burst; i++) rates.take("login", "alice");
  const retryAfter_ms = 1_000 / perSecond;
  assert.throws(() => rates.take("login", "alice"), { errcode: "M_LIMIT_EXCEEDED", status: 429, retryAfter_ms });
  await world.advance(retryAfter_ms - 1);
  assert.throws(() => rates.take("login", "alice"), { errcode: "M_LIMIT_EXCEEDED" });
  await world.advance(1);
  rates.take("login", "alice");
  assert.throws(() => rates.take("login", "alice"), { errcode: "M_LIMIT_EXCEEDED" });
});

test("one person's requests cost another nothing, nor requests of another kind", () => {
  const rates = createRates(simulate(1).seams, true);
  for (let i = 0; i < burst; i++) rates.take("login", "alice");
  rates.take("login", "bob");
  rates.take("register", "alice");
});

test("a check takes no token, and finds out that there is none", () => {
  const rates = createRates(simulate(1).seams, true);
  for (let i = 0; i < 3 * burst; i++) rates.check("login", "alice");
  for (let i = 0; i < burst; i++) rates.take("login", "alice");
  assert.throws(() => rates.check("login", "alice"), { errcode: "M_LIMIT_EXCEEDED" });
});

test("tokens never grow beyond the burst", async () => {
  const world = simulate(1);
  const rates = createRates(world.seams, true);
  rates.take("login", "alice");
  await world.advance(1e9);
  for (let i = 0; i < burst; i++) rates.take("login", "alice");
  assert.throws(() => rates.take("login", "alice"), { errcode: "M_LIMIT_EXCEEDED" });
});

test("switched off, everything passes", () => {
  const rates = createRates(simulate(1).seams, false);
  for (let i = 0; i < 10 * burst; i++) rates.take("login", "alice");
});
