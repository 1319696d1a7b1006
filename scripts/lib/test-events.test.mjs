import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runTestFiles } from "./test-files.mjs";

const scratch = mkdtempSync(join(tmpdir(), "parley-test-events-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

// The runner of these files would otherwise take itself for a part of the run that this file is in.
delete process.env["NODE_TEST_CONTEXT"];

let files = 0;

/**
 * Runs a file with this source, as npm test would, and gives the results.
 *
 * @param {string} source
 * @param {{ file_ms?: number, end_ms?: number }} [bounds] what it may take
 */
async function resultsOf(source, bounds) {
  const path = join(scratch, `f${++files}.test.mjs`);
  writeFileSync(path, `import { describe, it, test } from "node:test";\n${source}`);
  return runTestFiles(process.execPath, [path], bounds);
}

test("passed tests are counted, suites and parents as what they hold", async () => {
  const results = await resultsOf(`
    test("a", () => {});
    describe("suite", () => { it("b", () => {}); it("c", () => {}); });`);
  assert.deepEqual(results, { passed: 3, failures: [], skips: [] });
});

test("a failed test is told once, with what was thrown and what its file wrote", async () => {
  const results = await resultsOf(`
    console.log("a trace");
    describe("suite", () => { it("b", () => { throw new Error("boom"); }); });`);
  assert.equal(results.failures.length, 1);
  assert.equal(results.failures[0]?.name, "b");
  assert.match(results.failures[0]?.text ?? "", /Error: boom[^]*The file wrote:\na trace/);
});

test("a file without a test has failed", async () => {
  const { failures } = await resultsOf("export {};");
  assert.match(failures[0]?.text ?? "", /There is no test in this file/);
});

test("a file whose suites are empty has failed", async () => {
  const { failures } = await resultsOf(`describe("nothing", () => {});`);
  assert.match(failures[0]?.text ?? "", /There is no test in this file/);
});

test("a file that cannot be loaded has failed, and says why", async () => {
  const { failures } = await resultsOf(`throw new Error("at load");`);
  assert.equal(failures.length, 1);
  assert.match(failures[0]?.text ?? "", /at load/);
});

test("a file that exits badly has failed though its tests have passed", async () => {
  const results = await resultsOf(`test("a", () => {}); process.on("exit", () => (process.exitCode = 3));`);
  assert.equal(results.passed, 1);
  assert.equal(results.failures.length, 1);
});

test("skipped tests and suites keep their reasons", async () => {
  const { skips } = await resultsOf(`
    test("a", { skip: "no browser" }, () => {});
    test("b", (t) => t.skip("no broker"));
    describe("c", { skip: true }, () => { it("d", () => {}); });`);
  assert.deepEqual(
    skips.map(({ name, reason }) => `${name}: ${reason}`),
    ["a: no browser", "b: no broker", "c: no reason given"],
  );
});

test("a test that is marked as to be done has failed", async () => {
  const { failures } = await resultsOf(`test("a", { ["to" + "do"]: true }, () => {});`);
  assert.equal(failures.length, 1);
});

test("a file that never lets go is ended, though it would not hear of its end, and has failed", async () => {
  const forever = `process.on("SIGTERM", () => {}); test("b", async () => { for (;;) await undefined; });`;
  const { failures } = await resultsOf(`test("a", () => {}); ${forever}`, { file_ms: 3_000 });
  assert.ok(failures.some(({ text }) => text === "It was ended after 0.05 minutes."));
});

test("a file that goes on after its tests is ended, and what had failed in it is told", async () => {
  const leak = `setInterval(() => {}, 1_000); test("a", () => {}); test("b", () => { throw new Error("boom"); });`;
  const { passed, failures } = await resultsOf(leak, { file_ms: 5_000, end_ms: 500 });
  assert.equal(passed, 1);
  assert.match(failures.find(({ name }) => name === "b")?.text ?? "", /boom/);
  assert.match(failures.find(({ name }) => name === "the file")?.text ?? "", /something was left open/);
});
