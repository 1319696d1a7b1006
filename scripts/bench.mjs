/** `npm run bench -- <arguments>`: brings what is missing and runs the load harness. */
import { runInCheckout } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { runProgram } from "./lib/step.mjs";

await runProgram(async () => {
  const runtime = await setUp({ web: false });
  return runInCheckout(runtime, { program: "bench/src/main.ts", args: process.argv.slice(2) });
});
