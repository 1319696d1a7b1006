/** Questions that come together are asked together; each gets its own answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openLookup } from "./lookups.ts";

test("what is asked in one turn is one question, what is asked meanwhile is the next, and none has too many keys", async () => {
  const asked: number[][] = [];
  const answer = Promise.withResolvers<void>();
  const double = openLookup<number, number>({
    most: 3,
    async ask(keys) {
      asked.push([...keys]);
      await answer.promise;
      return keys.map((key) => key * 2);
    },
  });
  const first = Promise.all([1, 2].map(double));
  await Promise.resolve();
  await Promise.resolve();
  const second = Promise.all([3, 4, 5, 6].map(double));
  answer.resolve();
  assert.deepEqual(
    [await first, await second],
    [
      [2, 4],
      [6, 8, 10, 12],
    ],
  );
  assert.deepEqual(asked, [[1, 2], [3, 4, 5], [6]]);
});

test("a question that fails, fails for those who are in it and nobody else", async () => {
  const ask = openLookup<number, number>({
    most: 10,
    ask: (keys) => (keys.includes(0) ? Promise.reject(new Error("no")) : Promise.resolve(keys)),
  });
  const ends = await Promise.allSettled([ask(0), ask(1)]);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(await ask(1), 1);
});
