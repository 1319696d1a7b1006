/**
 * What a process says when something that nobody expected ends it: a throw or a rejection that nobody caught. What it was doing is
 * unknown then, so it does not go on; whoever started it starts another.
 */
import { asError } from "./errors.ts";
import { writeNow } from "./logger.ts";
import { realSeams } from "./seams.ts";

/** From now on such an end is one line of the log and the exit code 1. What was logged before is written first. */
export function sayLastWords(): void {
  process.on("uncaughtException", (thrown: unknown, origin) => {
    // The log is written when the process exits, so this is said after it.
    process.on("exit", () => writeNow(Buffer.from(`${lastWords(thrown, origin)}\n`)));
    process.exit(1);
  });
}

/** In place of the error itself: what libraries hang on theirs has the values of a query, or the password of a connection. */
export function lastWords(thrown: unknown, origin: string): string {
  const { name, message, stack, code } = asError(thrown) as NodeJS.ErrnoException;
  const err = { type: name, message: withoutAccounts(message), stack: withoutAccounts(stack ?? ""), code };
  const time = new Date(realSeams.now_ms()).toISOString();
  return JSON.stringify({ level: FATAL, time, err, origin, msg: "the process ends: nobody expected this" });
}

const FATAL = 60;

/** Addresses without the name and password in them. */
function withoutAccounts(text: string): string {
  return text.replaceAll(/(\w:\/\/)[^/@\s]+@/g, "$1");
}
