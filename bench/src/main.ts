import { readFile, writeFile } from "node:fs/promises";
import { type Options, parseOptions, USAGE, UsageError } from "./options.ts";
import { compareMarkdown, toMarkdown } from "./report.ts";
import type { Result } from "./result.ts";
import { runAll } from "./run.ts";
import { scenarios } from "./scenarios/list.ts";
import { openTarget } from "./target.ts";

/** Measures and prints. Gives the exit code: 1 when a scenario broke down or, with `--strict`, missed its goal. */
async function main(options: Options): Promise<number> {
  // Read before measuring: a mistyped file name should not cost ten minutes.
  const earlier = options.compare === undefined ? undefined : await readResult(options.compare);
  const chosen = scenarios.filter(({ name, onlyByName }) =>
    options.only.length === 0 ? onlyByName !== true : options.only.includes(name),
  );
  progress(options.target === undefined ? "starting Parley" : `connecting to ${options.target}`);
  await using target = await openTarget(options);
  const result = await Promise.race([runAll({ scenarios: chosen, options, target, progress }), interrupted()]);
  progress("");
  process.stdout.write(toMarkdown(result));
  if (earlier !== undefined) process.stdout.write(`\n${compareMarkdown(result, earlier)}`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  return exitCode(result, options);
}

function exitCode({ rows }: Result, { strict }: Options): number {
  const broken = rows.some((row) => row.broken === true);
  const missed = rows.some(({ verdict }) => verdict === "missed");
  return broken || (strict && missed) ? 1 : 0;
}

async function readResult(file: string): Promise<Result> {
  return JSON.parse(await readFile(file, "utf8")) as Result;
}

/** Rejects at Ctrl-C, so that what was started is stopped on the way out. */
function interrupted(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"])
      process.once(signal, () => reject(new Error(`interrupted by ${signal}`)));
  });
}

/** On a terminal one line that is overwritten; elsewhere a line for each new thing, without the counting. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
  else if (text !== "" && !/\d\/\d/.test(text)) process.stderr.write(`${text}\n`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}

async function start(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) return print(USAGE);
  if (args.includes("--list"))
    return print(scenarios.map(({ name, title }) => `${name.padEnd(18)}${title}\n`).join(""));
  try {
    const names = scenarios.map(({ name }) => name);
    return await main(parseOptions(args, names));
  } catch (error) {
    process.stderr.write(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `\n${explain(error)}\n`);
    return 1;
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

// Exits even if a connection of an interrupted scenario is still open.
process.exit(await start(process.argv.slice(2)));
