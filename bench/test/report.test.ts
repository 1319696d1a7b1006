import assert from "node:assert/strict";
import { test } from "node:test";
import { compareMarkdown, toMarkdown } from "../src/report.ts";
import { judge, type Result, type Row, type Run } from "../src/result.ts";

const run = (value: number, more: Partial<Run> = {}): Run => ({
  value,
  p50_ms: 5,
  p99_ms: 30,
  max_ms: 55.55,
  count: 15_000,
  seconds: 5,
  failures: {},
  cpu: { client_percent: 40, server_percent: 99.6, postgres_percent: 50, rest_percent: 3, clientLoop_percent: 41 },
  ...more,
});

const row = (median: Run, more: Partial<Row> = {}): Row => ({
  name: "sends-many",
  title: "Sends",
  unit: "sends/s",
  goals: [
    { of: "value", atLeast: 3_000 },
    { of: "p99_ms", below: 40 },
  ],
  verdict: "met",
  runs: [median],
  median,
  notes: [],
  ...more,
});

const result = (rows: Row[]): Result => ({
  label: "a try",
  target: { name: "Standin 1.2.3", url: "http://127.0.0.1:1" },
  date: "2026-01-02T03:04:05.000Z",
  machine: { cpu: "A processor", cores: 2, memory_GiB: 23.5, system: "Linux 6" },
  node: "v24.0.0",
  settings: { seconds: 5, warmup: 2, runs: 3, rooms: 1000, deliverySenders: 4 },
  rows,
});

test("a rate is met when it is reached, a time only when it is below its bound, and all must be", () => {
  const { goals } = row(run(0));
  assert.equal(judge(goals, run(3_000, { p99_ms: 39.9 })), "met");
  assert.equal(judge(goals, run(2_999, { p99_ms: 39.9 })), "missed");
  assert.equal(judge(goals, run(3_000, { p99_ms: 40 })), "missed");
  assert.equal(judge([], run(1)), "no goal");
});

test("a goal on what was not measured is missed", () => {
  const { p99_ms: _, ...unmeasured } = run(9_000);
  assert.equal(judge([{ of: "p99_ms", below: 40 }], unmeasured), "missed");
});

test("the table shows the numbers, who used the CPU, the goal, the verdict and the reference", () => {
  const text = toMarkdown(result([row(run(3_210.4))]));
  const line = text.split("\n").find((one) => one.startsWith("| Sends"));
  assert.equal(
    line,
    "| Sends | 3,210 sends/s | 5 | 30 | 55.6 | 15,000 | 0 | 40 / 100 / 50 / 3 " +
      "| ≥ 3,000 sends/s, p99 < 40 ms | met | 31 sends/s, p99 1,819 ms |",
  );
  assert.match(text, /a try \(Standin 1\.2\.3\) at http/);
  assert.match(text, /A processor, 2 cores, 23\.5 GiB/);
});

test("the notes tell failures and a client that was itself the limit", () => {
  const busy = run(100, { failures: { "429": 3, ECONNRESET: 1 } });
  busy.cpu.clientLoop_percent = 93;
  const text = toMarkdown(result([row(busy)]));
  assert.match(text, /failed: 429 3 times, ECONNRESET 1 times/);
  assert.match(text, /event loop was 93 % busy/);
  assert.match(text, /\| 15,000 \| 4 \|/);
});

test("a scenario that was not measured keeps its row, with the reason and without numbers", () => {
  const { median: _, ...unmeasured } = row(run(1), { verdict: "not measured", runs: [], notes: ["needs 50 users"] });
  const text = toMarkdown(result([unmeasured]));
  assert.match(text, /\| Sends \|( {2}\|){7} ≥ 3,000 sends\/s, p99 < 40 ms \| not measured \|/);
  assert.match(text, /needs 50 users/);
});

test("a comparison prints the ratio of each number that both have", () => {
  const before = result([row(run(1_000, { p50_ms: 10, p99_ms: 60 })), row(run(1), { name: "only-before" })]);
  const { p99_ms: _, ...withoutP99 } = run(3_000);
  const text = compareMarkdown(result([row(withoutP99), row(run(1), { name: "only-now" })]), before);
  assert.match(text, /\| Sends \| 1,000 sends\/s \| 3,000 sends\/s \| 3\.00 × \| 0\.50 × \|  \|/);
  assert.equal(text.split("\n").filter((line) => line.startsWith("| Sends")).length, 1);
});
