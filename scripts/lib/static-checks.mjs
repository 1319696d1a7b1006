/** The checks that need no running program: types, lint rules, format. Each counts as one test. */
import { existsSync } from "node:fs";
import { inRepo } from "./paths.mjs";
import { noResults } from "./results.mjs";
import { capture } from "./run.mjs";
import { environmentOf } from "./runtime.mjs";

const checks = [
  { name: "types", tool: "typescript/bin/tsc", args: ["-p", "."], fix: "" },
  { name: "types of the web messenger", tool: "typescript/bin/tsc", args: ["-p", "web"], fix: "" },
  { name: "types of the console", tool: "typescript/bin/tsc", args: ["-p", "operator"], fix: "" },
  { name: "types of the scripts", tool: "typescript/bin/tsc", args: ["-p", "scripts"], fix: "" },
  { name: "lint rules", tool: "oxlint/bin/oxlint", args: [], fix: "" },
  { name: "format", tool: "oxfmt/bin/oxfmt", args: ["--check"], fix: "Mend it with: npx oxfmt" },
];

/**
 * @param {string} runtime
 * @returns {Promise<import("./results.mjs").Results>}
 */
export async function runStaticChecks(runtime) {
  const results = noResults();
  for (const { name, tool, args, fix } of checks) {
    const started = performance.now();
    const command = [runtime, inRepo("node_modules", tool), ...args];
    const { code, output } = existsSync(inRepo("node_modules", tool))
      ? await capture(command, { env: environmentOf(runtime) })
      : { code: 1, output: `${tool} is not installed.` };
    if (code === 0) results.passed += 1;
    else results.failures.push({ where: "check", name, text: `${output.trimEnd()}\n${fix}` });
    console.log(`${code === 0 ? "✔" : "✖"} ${name} (${((performance.now() - started) / 1_000).toFixed(1)} s)`);
  }
  return results;
}
