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

test("skipped tests are named with their reasons", () => {
  const text = report({
    passed: 1,
    failures: [],
    skips: [{ where: "e2e/a.test.ts", name: "a story", reason: "no Chromium" }],
  });
  assert.match(text, /Skipped:\n {2}e2e\/a\.test\.ts: a story \(no Chromium\)\n\n1 passed, 0 failed, 1 skipped$/);
});

test("failures are shown in full before the last line, and summed over all runs", () => {
  const failed = { passed: 2, failures: [{ where: "a", name: "b", text: "one\ntwo" }], skips: [] };
  const text = report(sum([failed, failed]));
  assert.match(text, /✖ a: b\n {4}one\n {4}two\n/);
  assert.equal(text.split("\n").at(-1), "4 passed, 2 failed");
});
