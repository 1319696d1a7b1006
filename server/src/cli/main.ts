/** The commands for operators: `npm run parley -- rotate database`. */
import { readConfig } from "../config.ts";
import { asError, StartError } from "../errors.ts";
import { realSeams } from "../seams.ts";
import { rotateBus } from "./rotate-bus.ts";
import { rotateDatabase } from "./rotate-database.ts";

const HELP = `Usage: parley <command>

  rotate database [--wait-s <seconds>]
      Gives the database user of DATABASE_URL a new password. DATABASE_URL must name a file (file:///…), which
      every process reads; --wait-s is how long the file may take to reach them all, 0 by default.
  rotate bus
      Makes a new key for what leaves for Redis, NATS or RabbitMQ. It takes 20 s.

Settings are environment variables: docs/operations/settings.md.`;

async function main(args: readonly string[]): Promise<void> {
  const [verb, what, ...options] = args;
  if (verb === undefined || verb === "help" || verb === "--help") {
    console.log(HELP);
    return;
  }
  const { databaseUrl: address } = readConfig();
  const common = { address, seams: realSeams, say: console.log };
  if (verb === "rotate" && what === "database")
    return rotateDatabase({ ...common, wait_ms: readWait(options) * 1_000 });
  if (verb === "rotate" && what === "bus" && options.length === 0) return rotateBus(common);
  throw new StartError(`There is no command "${args.join(" ")}".\n\n${HELP}`);
}

function readWait(options: readonly string[]): number {
  const [name, value = "", ...rest] = options;
  if (name === undefined) return 0;
  if (name === "--wait-s" && /^\d{1,4}$/.test(value) && rest.length === 0) return Number(value);
  throw new StartError(
    `"${options.join(" ")}" is not understood: the only option is --wait-s with a number of seconds.`,
  );
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  console.error(thrown instanceof StartError ? thrown.message : asError(thrown));
  process.exitCode = 1;
});
