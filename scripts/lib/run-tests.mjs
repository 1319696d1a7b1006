/**
 * Runs test files, two at a time, and sends the results to the process that started this one. Run by the Node that runs
 * Parley. The arguments are the milliseconds that one file may take and that it may go on after its tests, and the files' paths.
 */
import { subscribe } from "node:diagnostics_channel";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { inRepo, repoRoot } from "./paths.mjs";
import { sum } from "./results.mjs";
import { collect, whileTested } from "./test-events.mjs";

/** Two cores are common; a test that waits for something leaves the other one room. */
const filesAtOnce = 2;
/** A test that hangs fails after this, unless it sets a time of its own. */
const timeout_ms = 300_000;
const [file_ms, end_ms] = [Number(process.argv[2]), Number(process.argv[3])];
const waiting = process.argv.slice(4);

// What every file would do for itself: types are stripped once, and one of them makes the migrated database that the others copy.
const shelf = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "parley-shelf-"));
// Run by root, PostgreSQL is another account.
chmodSync(shelf, 0o755);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
process.once("exit", () => rmSync(shelf, { recursive: true, force: true }));
process.env["PARLEY_TEST_SHELF"] = shelf;
process.env["NODE_COMPILE_CACHE"] = inRepo(".runtime", "compiled");

/**
 * The processes of the files that run now, of which Node's runner tells nothing.
 *
 * @type {Set<import("node:child_process").ChildProcess>}
 */
const processes = new Set();
subscribe("child_process", (message) => {
  const { process: child } = /** @type {{ process: import("node:child_process").ChildProcess }} */ (message);
  processes.add(child);
  child.once("exit", () => processes.delete(child));
});

/**
 * Ends the file's process. A test that never lets the event loop go on hears neither of its own timeout nor of a polite signal.
 *
 * @param {string} path
 */
function end(path) {
  for (const child of processes) if (child.spawnargs.includes(path)) child.kill("SIGKILL");
}

/**
 * @param {string} path
 * @returns {Promise<import("./results.mjs").Results>}
 */
async function runFile(path) {
  const started = performance.now();
  const where = relative(repoRoot, path);
  /** @type {string | undefined} */
  let ended;
  const endBecause = (/** @type {string} */ why) => {
    ended ??= why;
    end(path);
  };
  const deadline = setTimeout(() => endBecause(`It was ended after ${file_ms / 60_000} minutes.`), file_ms);
  const left = `Its tests were over, and it did not end within ${end_ms / 60_000} minutes: something was left open.`;
  const events = /** @type {AsyncIterable<any>} */ (run({ files: [path], timeout: timeout_ms }));
  const watched = whileTested(events, { path, end_ms, onLeft: () => endBecause(left) });
  const results = await collect(watched, { path, where });
  clearTimeout(deadline);
  if (ended !== undefined) results.failures.push({ where, name: "the file", text: ended });
  const mark = results.failures.length > 0 ? "✖" : "✔";
  const counts = `${results.passed} passed${results.failures.length > 0 ? `, ${results.failures.length} failed` : ""}`;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${mark} ${where} (${counts}${results.skips.length > 0 ? `, ${results.skips.length} skipped` : ""}, ${seconds} s)`,
  );
  return results;
}

/** @type {import("./results.mjs").Results[]} */
const all = [];

async function work() {
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) all.push(await runFile(path));
}

await Promise.all(Array.from({ length: filesAtOnce }, work));
process.send?.(sum(all));
process.disconnect?.();
