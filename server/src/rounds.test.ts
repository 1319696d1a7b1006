import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../../testkit/src/simulation.ts";
import { type Rounds, startRounds, type Wake } from "./rounds.ts";

const logger = { warn: () => {} } as unknown as Parameters<typeof startRounds>[0]["logger"];

/** Rounds of a minute on a virtual clock, and when each began. */
function follow(act: Rounds["act"] = () => Promise.resolve()) {
  const world = simulate(1);
  const begun: number[] = [];
  let wake: Wake = () => {};
  const end = startRounds(
    { seams: world.seams, logger },
    {
      wait_ms: () => 60_000,
      failed: "it failed",
      wokenBy(given) {
        wake = given;
        return () => {};
      },
      act() {
        begun.push(world.seams.monotonic_ms());
        return act();
      },
    },
  );
  return { world, begun, end, wake: (within_ms: number) => wake(within_ms) };
}

test("a round that fails is followed by the next one", async () => {
  const { world, begun, end } = follow(() => Promise.reject(new Error("no")));
  await world.advance(120_000);
  assert.deepEqual(begun, [60_000, 120_000]);
  await end();
  await world.advance(120_000);
  assert.equal(begun.length, 2);
});

test("whoever wakes rounds has the next one earlier, and never later or twice", async () => {
  const { world, begun, wake } = follow();
  wake(5_000);
  wake(90_000);
  wake(7_000);
  await world.advance(64_999);
  assert.deepEqual(begun, [5_000]);
  await world.advance(1);
  assert.deepEqual(begun, [5_000, 65_000]);
});

test("a word that comes during a round is not lost with it", async () => {
  const going = Promise.withResolvers<void>();
  const { world, begun, wake } = follow(() => going.promise);
  wake(0);
  await world.advance(10);
  wake(0);
  wake(20);
  await world.advance(1_000);
  assert.deepEqual(begun, [0]);
  going.resolve();
  await world.advance(1);
  assert.deepEqual(begun, [0, 1_010]);
});
