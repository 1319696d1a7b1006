import assert from "node:assert/strict";
import { test } from "node:test";
import { randomToken, realSeams } from "./seams.ts";

test("random bytes have the length that was asked for, and none is handed out twice", () => {
  const lengths = [0, 1, 9, 32, 63, 64, 65, 1_000];
  for (const length of lengths) assert.equal(realSeams.randomBytes(length).length, length);
  const tokens = Array.from({ length: 10_000 }, () => randomToken(realSeams, 32));
  assert.equal(new Set(tokens).size, tokens.length);
  // Overlapping slices of one pool would share runs of bytes; equal runs of 8 bytes do not come by chance.
  const runs = tokens.flatMap((token) => {
    const bytes = Buffer.from(token, "base64url");
    return [0, 8, 16, 24].map((start) => bytes.toString("hex", start, start + 8));
  });
  assert.equal(new Set(runs).size, runs.length);
});

test("what was handed out stays as it is when more is asked for", () => {
  const first = realSeams.randomBytes(32);
  const before = first.toString("hex");
  for (let i = 0; i < 1_000; i++) realSeams.randomBytes(32);
  assert.equal(first.toString("hex"), before);
});

test("G14: a clock that is set, forward or back, changes no duration", (t) => {
  const before_ms = realSeams.monotonic_ms();
  for (const set_ms of [0, Date.now() + 3_600_000]) {
    t.mock.method(Date, "now", () => set_ms);
    assert.equal(realSeams.now_ms(), set_ms);
    const passed_ms = realSeams.monotonic_ms() - before_ms;
    assert.ok(passed_ms >= 0 && passed_ms < 600_000, `${passed_ms} ms passed`);
    t.mock.restoreAll();
  }
});

test("what is further off than a timer of Node reaches comes when it is time, and not at once", (t) => {
  const [day_ms, reach_ms] = [86_400_000, 2 ** 31 - 1];
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const came: string[] = [];
  realSeams.after(60 * day_ms, () => came.push("after 60 days"));
  realSeams.after(60 * day_ms, () => came.push("called off")).cancel();
  const late = realSeams.after(60 * day_ms, () => came.push("called off late"));
  for (let day = 0; day < 59; day++) t.mock.timers.tick(day_ms);
  assert.deepEqual(came, []);
  late.cancel();
  // These clocks count what a timer sets in the middle of a step from its end.
  t.mock.timers.tick(3 * day_ms);
  assert.deepEqual(came, ["after 60 days"]);
  const given_ms: number[] = [];
  t.mock.method(globalThis, "setTimeout", (_action: unknown, ms: number) => (given_ms.push(ms), { unref: () => {} }));
  t.mock.method(globalThis, "setInterval", (_action: unknown, ms: number) => (given_ms.push(ms), { unref: () => {} }));
  for (const ms of [reach_ms, reach_ms + 1, Infinity]) realSeams.after(ms, () => {});
  for (const ms of [reach_ms, reach_ms + 1, Infinity]) realSeams.every(ms, () => {});
  assert.deepEqual(
    given_ms,
    Array.from({ length: 6 }, () => reach_ms),
  );
});
