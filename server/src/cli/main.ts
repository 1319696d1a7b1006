/** `parley <command>`, in a checkout `npm run parley -- <command>`: for operators. */
import { readConfig } from "../config.ts";
import { realSeams } from "../seams.ts";
import { commands } from "./commands.ts";
import { run } from "./run.ts";

// Waiting for a database that is away keeps no process by itself: this does.
const awake = setInterval(() => {}, 60_000);

let isUnwritten = false;
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  // Who reads may have had enough (`parley … | head`): the act goes on to its end, and its exit code is its own.
  if (code === "EPIPE") return;
  process.stderr.write(`The answer could not be written: ${message}\n`);
  isUnwritten = true;
});
// Where the answer has no place, there is none for what stands beside it.
process.stderr.on("error", () => {});
process.once("exit", () => {
  if (isUnwritten) process.exitCode = 1;
});

process.exitCode = await run(process.argv.slice(2), {
  commands,
  seams: realSeams,
  config: () => readConfig(),
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
}).finally(() => clearInterval(awake));
