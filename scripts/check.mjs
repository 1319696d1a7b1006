/** `npm run check`: types, lint rules and format, without running any test. */
import { report } from "./lib/results.mjs";
import { setUp } from "./lib/setup.mjs";
import { runStaticChecks } from "./lib/static-checks.mjs";
import { runProgram } from "./lib/step.mjs";

await runProgram(async () => {
  const runtime = await setUp({ web: false });
  const results = await runStaticChecks(runtime);
  console.log(report(results));
  return results.failures.length > 0 ? 1 : 0;
});
