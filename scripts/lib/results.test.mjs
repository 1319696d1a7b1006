import assert from "node:assert/strict";
import { test } from "node:test";
import { noResults, report, sum } from "./results.mjs";

test("the last line is the sum, without a word on skipped tests when there are none", () => {
  assert.equal(
    report({ ...noResults(), passed: 3 })
      .split("\n")
      .at(-1),
    "3 passed, 0 failed",
  );
});

test("skipped tests are named by file and reason, many of one kind as a range", () => {
  const skip = (/** @type {string} */ name) => ({ where: "e2e/a.test.ts", name, reason: "no Chromium" });
  const few = report({ passed: 1, failures: [], skips: [skip("a story"), skip("another")] });
  assert.match(
    few,
    /Skipped:\n {2}e2e\/a\.test\.ts \(no Chromium\): a story; another\n\n1 passed, 0 failed, 2 skipped$/,
  );
  const many = report({ passed: 1, failures: [], skips: ["a", "b", "c", "d", "e", "f"].map(skip) });
  assert.match(many, /\(no Chromium\): 6 tests, from "a" to "f"\n\n1 passed, 0 failed, 6 skipped$/);
});

test("failures are shown in full before the last line, and summed over all runs", () => {
  const failed = { passed: 2, failures: [{ where: "a", name: "b", text: "one\ntwo" }], skips: [] };
  const text = report(sum([failed, failed]));
  assert.match(text, /✖ a: b\n {4}one\n {4}two\n/);
  assert.equal(text.split("\n").at(-1), "4 passed, 2 failed");
});
