import assert from "node:assert/strict";
import { test } from "node:test";
import { createMeter } from "../src/meter.ts";
import { createSamples, medianBy, percentile, spread } from "../src/samples.ts";

const upTo = (count: number): Float64Array => Float64Array.from({ length: count }, (_, index) => index + 1);

test("a percentile is the smallest sample that so many percent do not exceed", () => {
  const hundred = upTo(100);
  assert.equal(percentile(hundred, 50), 50);
  assert.equal(percentile(hundred, 99), 99);
  assert.equal(percentile(hundred, 100), 100);
  assert.equal(percentile(upTo(1000), 99), 990);
  assert.equal(percentile(upTo(3), 50), 2);
  assert.equal(percentile(upTo(10), 99), 10, "of few samples p99 is the worst one");
  assert.equal(percentile(upTo(1), 50), 1);
});

test("there is no percentile of nothing, nor one outside 0 to 100", () => {
  assert.throws(() => percentile(upTo(0), 50), RangeError);
  assert.throws(() => percentile(upTo(5), 0), RangeError);
  assert.throws(() => percentile(upTo(5), 101), RangeError);
  assert.equal(spread(upTo(0)), undefined);
});

test("samples are sorted as numbers and none is lost when the list grows", () => {
  const samples = createSamples();
  for (let value = 10_000; value >= 1; value--) samples.add(value);
  assert.deepEqual(samples.sorted(), upTo(10_000));
});

test("the median run is the one in the middle, whatever the order", () => {
  assert.equal(
    medianBy([30, 100, 9], (value) => value),
    30,
  );
  assert.equal(
    medianBy([4, 1, 3, 2], (value) => value),
    2,
  );
  assert.throws(() => medianBy([], Number), RangeError);
});

test("each success lands in exactly one cut of a meter", () => {
  const meter = createMeter();
  meter.hit(3);
  meter.hit(1);
  meter.fail("500");
  meter.fail("500");
  assert.deepEqual(meter.cut(), { latencies: Float64Array.of(1, 3), failures: { "500": 2 } });
  meter.hit(2);
  assert.deepEqual(meter.cut(), { latencies: Float64Array.of(2), failures: {} });
});
