import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeMemory } from "../src/trend.ts";

const samplesOf = (megabytes: (minute: number) => number) =>
  Array.from({ length: 40 }, (_, minute) => ({ at_ms: 5_000 + minute * 60_000, bytes: megabytes(minute) * 1_000_000 }));

test("memory that grows by a megabyte a minute grows by sixty an hour", () => {
  const { slope_MBPerHour, first_MB, last_MB } = judgeMemory(samplesOf((minute) => 100 + minute));
  assert.ok(Math.abs(slope_MBPerHour - 60) < 1e-6, `${slope_MBPerHour}`);
  assert.equal(first_MB, 104.5);
  assert.equal(last_MB, 134.5);
});

test("what a server fills at its beginning is no growth, and shows in the first quarter", () => {
  const { slope_MBPerHour, first_MB, last_MB } = judgeMemory(samplesOf((minute) => Math.min(150, 100 + minute * 5)));
  assert.ok(Math.abs(slope_MBPerHour) < 1e-6, `${slope_MBPerHour}`);
  assert.equal(first_MB, 122.5);
  assert.equal(last_MB, 150);
});

test("of a handful of samples nothing is said", () => {
  assert.throws(() => judgeMemory(samplesOf(() => 1).slice(0, 7)), RangeError);
});
