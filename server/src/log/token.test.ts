import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatToken, parseToken } from "./token.ts";

const whole = fc.integer({ min: 0, max: 999_999_999_999_999 });

test("a token that was given out is read as what it was made of", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_147_483_647 }), whole, fc.option(whole), (epoch, position, ephemeral) => {
      const token = ephemeral === null ? { epoch, position } : { epoch, position, ephemeral };
      assert.deepEqual(parseToken(formatToken(token)), { epoch, position, ephemeral: ephemeral ?? 0 });
    }),
  );
});

test("anything else is refused, with the parameter that it came in", () => {
  const wrong = [
    "",
    "s1",
    "s1_",
    "1_2",
    "s1_2_",
    "s1_2_3_4_5",
    "s-1_2",
    "s1_1e3",
    "s1_2 ",
    "s1_9999999999999999",
    "t1_2",
  ];
  for (const text of wrong)
    assert.throws(() => parseToken(text, "from"), { errcode: "M_INVALID_PARAM", message: /"from"/ });
});
