/** `npm run fuzz -- <arguments>`: brings what is missing and asks a server what makes no sense, again and again. */
import { runInCheckout } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { runProgram } from "./lib/step.mjs";

await runProgram(async () => {
  const runtime = await setUp({ web: false });
  return runInCheckout(runtime, {
    program: "testkit/src/fuzz/main.ts",
    args: process.argv.slice(2),
    flags: ["--expose-gc"],
  });
});
