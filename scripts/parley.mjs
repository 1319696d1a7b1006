/** `npm run parley -- <command>`: brings what is missing and runs a command for operators. */
import { runInCheckout } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { runProgram } from "./lib/step.mjs";

await runProgram(async () => {
  const runtime = await setUp({ web: false });
  return runInCheckout(runtime, { program: "server/src/cli/main.ts", args: process.argv.slice(2) });
});
