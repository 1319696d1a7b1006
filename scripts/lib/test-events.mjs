/**
 * Turns the events of Node's test runner into results. What counts here is not quite what Node counts: a file without a test
 * has failed, a `todo` has failed, a skipped suite is one skipped test, and a parent does not fail again for its children.
 */
import { inspect } from "node:util";
import { noResults } from "./results.mjs";

/** So much of what a failed file has written is shown. */
const shownLines = 40;

/** @typedef {{ type: string, data: Record<string, any> }} TestEvent an event of node:test, whose type is not exported */

/**
 * @param {AsyncIterable<TestEvent>} events those of one file
 * @param {{ path: string, where: string }} file its path, and its name for people
 * @returns {Promise<import("./results.mjs").Results>}
 */
export async function collect(events, { path, where }) {
  const results = noResults();
  let output = "";
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") output += data["message"];
    if (type !== "test:pass" && type !== "test:fail") continue;
    // Node reports a file as a test of its own when it holds none, or when its process ended badly.
    if (data["name"] === path) {
      const text = type === "test:pass" ? "There is no test in this file." : "The file itself failed.";
      results.failures.push({ where, name: "the file", text });
    } else {
      count(results, data, { where, isPassed: type === "test:pass" });
    }
  }
  if (results.passed + results.failures.length + results.skips.length === 0) {
    results.failures.push({ where, name: "the file", text: "There is no test in this file." });
  }
  const last = results.failures.at(-1);
  if (last && output.trim())
    last.text += `\n\nThe file wrote:\n${output.trimEnd().split("\n").slice(-shownLines).join("\n")}`;
  return results;
}

/**
 * Passes the events of one file on, and calls `onLeft` when all of its tests are over and it goes on for so long.
 *
 * @param {AsyncIterable<TestEvent>} events
 * @param {{ path: string, end_ms: number, onLeft: () => void }} options
 */
export async function* whileTested(events, { path, end_ms, onLeft }) {
  let [open, over] = [0, 0];
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  for await (const event of events) {
    const { type, data } = event;
    const isOfFile = data["nesting"] === 0 && data["name"] !== path;
    if (isOfFile && type === "test:enqueue") open += 1;
    if (isOfFile && type === "test:complete") [open, over] = [open - 1, over + 1];
    clearTimeout(timer);
    // Before the first test a file may start whatever it needs.
    if (open === 0 && over > 0) timer = setTimeout(onLeft, end_ms);
    yield event;
  }
  clearTimeout(timer);
}

/**
 * @param {import("./results.mjs").Results} results
 * @param {Record<string, any>} data of the event
 * @param {{ where: string, isPassed: boolean }} outcome
 */
function count(results, { name, skip, todo, details }, { where, isPassed }) {
  const isSuite = details.type === "suite";
  if (skip !== undefined) {
    results.skips.push({ where, name, reason: typeof skip === "string" ? skip : "no reason given" });
  } else if (todo !== undefined) {
    results.failures.push({ where, name, text: "It is marked as todo: a test is done, or it is not there." });
  } else if (!isPassed) {
    if (details.error?.failureType === "subtestsFailed") return;
    results.failures.push({ where, name, text: describe(details.error) });
  } else if (!isSuite) {
    results.passed += 1;
  }
}

/**
 * What was thrown, without the runner's own frames.
 *
 * @param {any} error
 */
function describe(error) {
  const thrown = error?.cause ?? error;
  // An assertion's message shows what it compared; its fields would show it again.
  const isTold = typeof thrown?.stack === "string" && thrown.code === "ERR_ASSERTION";
  /** @type {string} */
  const text = isTold ? thrown.stack : typeof thrown === "string" ? thrown : inspect(thrown, { depth: 6 });
  return text
    .split("\n")
    .filter((line) => !/^\s+at .*\(?node:internal\//.test(line))
    .join("\n");
}
