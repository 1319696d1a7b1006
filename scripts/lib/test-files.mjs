/** The test files of the checkout, and the processes that run them. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { inRepo, repoRoot } from "./paths.mjs";
import { noResults } from "./results.mjs";
import { environmentOf } from "./runtime.mjs";

/** Each of these must have tests. */
export const testedDirectories = [
  "server",
  "testkit",
  "bench",
  "faults",
  "deploy",
  "web",
  "operator",
  "e2e",
  "scripts",
];

/**
 * The paths of the test files, by directory.
 *
 * @param {readonly string[]} filters parts of paths; with none of them every file is meant
 * @returns {Map<string, string[]>}
 */
export function findTestFiles(filters) {
  const isMeant = (/** @type {string} */ path) =>
    filters.length === 0 || filters.some((filter) => path.includes(filter));
  return new Map(
    testedDirectories.map((directory) => [
      directory,
      filesUnder(inRepo(directory)).filter(
        (path) => /\.test\.(ts|tsx|mjs)$/.test(path) && isMeant(relative(repoRoot, path)),
      ),
    ]),
  );
}

/**
 * @param {string} directory
 * @returns {string[]}
 */
function filesUnder(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules" && name !== "dist" && !name.startsWith("."))
    .flatMap((entry) =>
      entry.isDirectory() ? filesUnder(join(directory, entry.name)) : [join(directory, entry.name)],
    );
}

/**
 * What one file may take: the slowest on a busy machine, three times. And how long after its last test it may go on: what a test that
 * failed has left open would keep its process alive, and its failure from being told.
 */
const BOUNDS = { file_ms: 900_000, end_ms: 120_000 };

/**
 * Runs test files with the runtime.
 *
 * @param {string} runtime
 * @param {readonly string[]} paths
 * @param {Partial<typeof BOUNDS>} bounds what a file may take
 * @returns {Promise<import("./results.mjs").Results>}
 */
export function runTestFiles(runtime, paths, bounds = {}) {
  const { file_ms, end_ms } = { ...BOUNDS, ...bounds };
  return new Promise((resolve, reject) => {
    const child = spawn(runtime, [inRepo("scripts", "lib", "run-tests.mjs"), `${file_ms}`, `${end_ms}`, ...paths], {
      cwd: repoRoot,
      env: environmentOf(runtime),
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    /** @type {import("./results.mjs").Results | undefined} */
    let results;
    child.on("message", (message) => (results = /** @type {import("./results.mjs").Results} */ (message)));
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(results ?? withoutResults(`${signal ?? code}`)));
  });
}

/** @param {string} how */
function withoutResults(how) {
  const text = `It ended without results (${how}).`;
  return { ...noResults(), failures: [{ where: "scripts/lib/run-tests.mjs", name: "the test runner", text }] };
}
