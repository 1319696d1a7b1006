/**
 * Runs test files, two at a time, and sends the results to the process that started this one. Run by the Node that runs
 * Parley, with the files' paths as arguments.
 */
import { relative } from "node:path";
import { run } from "node:test";
import { repoRoot } from "./paths.mjs";
import { sum } from "./results.mjs";
import { collect } from "./test-events.mjs";

/** Two cores are common; a test that waits for something leaves the other one room. */
const filesAtOnce = 2;
/** A test that hangs fails after this, unless it sets a time of its own. */
const timeout_ms = 300_000;

/**
 * @param {string} path
 * @returns {Promise<import("./results.mjs").Results>}
 */
async function runFile(path) {
  const started = performance.now();
  const where = relative(repoRoot, path);
  const events = /** @type {AsyncIterable<any>} */ (run({ files: [path], timeout: timeout_ms }));
  const results = await collect(events, { path, where });
  const mark = results.failures.length > 0 ? "✖" : "✔";
  const counts = `${results.passed} passed${results.failures.length > 0 ? `, ${results.failures.length} failed` : ""}`;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${mark} ${where} (${counts}${results.skips.length > 0 ? `, ${results.skips.length} skipped` : ""}, ${seconds} s)`,
  );
  return results;
}

const waiting = process.argv.slice(2);
/** @type {import("./results.mjs").Results[]} */
const all = [];

async function work() {
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) all.push(await runFile(path));
}

await Promise.all(Array.from({ length: filesAtOnce }, work));
process.send?.(sum(all));
process.disconnect?.();
