/** `parley <command>`, in a checkout `npm run parley -- <command>`: for operators. */
import { readConfig } from "../config.ts";
import { realSeams } from "../seams.ts";
import { commands } from "./commands.ts";
import { run } from "./run.ts";

// Waiting for a database that is away keeps no process by itself: this does.
const awake = setInterval(() => {}, 60_000);

process.exitCode = await run(process.argv.slice(2), {
  commands,
  seams: realSeams,
  config: () => readConfig(),
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
}).finally(() => clearInterval(awake));
