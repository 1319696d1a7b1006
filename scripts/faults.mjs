/** `npm run faults -- <arguments>`: brings what is missing and runs the fault harness. */
import { runInCheckout } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { runProgram } from "./lib/step.mjs";

await runProgram(async () => {
  const runtime = await setUp({ web: false });
  return runInCheckout(runtime, { program: "faults/src/main.ts", args: process.argv.slice(2) });
});
