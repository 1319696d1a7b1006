/**
 * `npm test`: brings what is missing, checks types, lint rules and format, and runs every test. With arguments
 * (`npm test -- server/src/log`) it runs the test files whose path has one of them in it, and nothing else.
 * The last line is the sum, and the exit code is not 0 when anything failed.
 */
import { bringAge } from "./lib/age.mjs";
import { bringAzurite } from "./lib/azurite.mjs";
import { noResults, report, sum } from "./lib/results.mjs";
import { setUp } from "./lib/setup.mjs";
import { runStaticChecks } from "./lib/static-checks.mjs";
import { runProgram } from "./lib/step.mjs";
import { bringSystemPackages } from "./lib/system-packages.mjs";
import { findTestFiles, runTestFiles } from "./lib/test-files.mjs";

await runProgram(async () => {
  const filters = process.argv.slice(2);
  await bringSystemPackages();
  const runtime = await setUp({ web: true });
  const checks = filters.length > 0 ? noResults() : await runStaticChecks(runtime);
  const files = findTestFiles(filters);
  if ([...files.values()].flat().some((path) => path.includes("/blobs/"))) await bringAzurite();
  if ([...files.values()].flat().some((path) => /\b(?:age|graph|explorer)\b/.test(path))) await bringAge();
  const tests = await runTestFiles(runtime, [...files.values()].flat());
  const results = sum([checks, tests, emptyOnes(files, filters)]);
  console.log(report(results));
  return results.failures.length > 0 ? 1 : 0;
});

/**
 * Silence is no success: a directory without tests, or a filter that finds none, is a failure.
 *
 * @param {Map<string, string[]>} files
 * @param {readonly string[]} filters
 */
function emptyOnes(files, filters) {
  const isNothing = [...files.values()].flat().length === 0;
  const empty =
    filters.length > 0
      ? isNothing
        ? [filters.join(" ")]
        : []
      : [...files].filter(([, paths]) => paths.length === 0).map(([directory]) => directory);
  return {
    ...noResults(),
    failures: empty.map((where) => ({ where, name: "tests", text: "There are no test files." })),
  };
}
