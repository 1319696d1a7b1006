/**
 * `npm start`: brings what is missing and runs Parley. Settings are environment variables (docs/operations/settings.md).
 * Plain JavaScript without dependencies, for it runs on any Node from 20 on, before anything is installed.
 */
import { runInCheckout } from "./lib/foreground.mjs";
import { serverEnvironment, serverFlags } from "./lib/server-process.mjs";
import { setUp } from "./lib/setup.mjs";
import { runProgram } from "./lib/step.mjs";

await runProgram(async () => {
  const runtime = await setUp({ web: true });
  return runInCheckout(runtime, {
    program: "server/src/main.ts",
    args: process.argv.slice(2),
    flags: serverFlags,
    env: serverEnvironment,
  });
});
