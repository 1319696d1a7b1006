/**
 * From what an operator typed to an exit code that scripts can trust: 0 all is well, 1 it failed or found trouble, 2 it was not
 * understood. With --json there is one JSON object on standard output, whatever happens, and all else goes to standard error.
 */
import { parseArgs } from "node:util";
import type { Config } from "../config.ts";
import { asError, StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import { learnSecrets } from "../secrets/values.ts";
import { type Command, type Outcome, UsageError } from "./command.ts";
import { completion, shells } from "./completion.ts";
import { helpOf, overview } from "./help.ts";

export interface World {
  commands: readonly Command[];
  seams: Seams;
  config(): Config;
  /** Each gets text without the end of its line. */
  out(text: string): void;
  error(text: string): void;
}

/** Gives the exit code. */
export async function run(typed: readonly string[], world: World): Promise<number> {
  const isJson = typed.includes("--json");
  try {
    return await runUnsafe(typed, world, isJson);
  } catch (thrown) {
    const error = asError(thrown);
    const isUsage = thrown instanceof UsageError;
    if (isJson) world.out(JSON.stringify({ ok: false, error: error.message }));
    // What nobody expected is told with its stack.
    world.error(isUsage || thrown instanceof StartError ? error.message : (error.stack ?? error.message));
    return isUsage ? 2 : 1;
  }
}

async function runUnsafe(typed: readonly string[], world: World, isJson: boolean): Promise<number> {
  const { commands, seams, config, out, error } = world;
  const words = typed.filter((each) => !each.startsWith("-"));
  const command = find(commands, words);
  const wantsHelp = typed.includes("--help") || typed.includes("-h") || words[0] === "help";
  if (typed.length === 0 || (wantsHelp && !command)) return (out(overview(commands, words)), 0);
  if (words[0] === "completion") return (out(completionFor(words, commands)), 0);
  if (!command) throw new UsageError(`There is no command "${words.join(" ")}". Try parley --help.`);
  if (wantsHelp) return (out(helpOf(command)), 0);
  const call = parse(command, typed.slice(command.name.split(" ").length));
  const stop = await learnSecretsFor(world);
  const outcome = await command.run({ ...call, seams, config, say: isJson ? error : out }).finally(stop);
  print(outcome, world, isJson);
  return outcome.ok ? 0 : 1;
}

/** What secret:// settings stand for. Settings that are wrong are told by the command that needs them. */
async function learnSecretsFor({ config, seams, error }: World): Promise<() => void> {
  let settings;
  try {
    settings = config();
  } catch {
    return () => {};
  }
  const warn = ({ reason }: { reason: string }) => error(reason);
  return learnSecrets(settings, { seams, logger: { warn } as Pick<Logger, "warn"> });
}

/** The longest name that the words begin with, also behind "help". */
function find(commands: readonly Command[], words: readonly string[]): Command | undefined {
  const text = `${(words[0] === "help" ? words.slice(1) : words).join(" ")} `;
  return commands
    .filter(({ name }) => text.startsWith(`${name} `))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
}

function print({ ok, data, text }: Outcome, { out }: World, isJson: boolean): void {
  if (isJson) out(JSON.stringify({ ok, ...data }));
  else if (text !== undefined) out(text);
}

function completionFor([, shell = ""]: readonly string[], commands: readonly Command[]): string {
  const found = shells.find((each) => each === shell);
  if (!found) throw new UsageError(`"${shell}" is no shell that is known: parley completion ${shells.join("|")}.`);
  return completion(found, commands);
}

/** The options and arguments behind the name. Throws UsageError where one is missing, too many or not of its kind. */
function parse(command: Command, rest: readonly string[]) {
  const wanted = command.options ?? {};
  const options = Object.fromEntries(
    Object.entries(wanted).map(([name, { kind }]) => [
      name,
      { type: kind === "flag" ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const read = parsed(command, rest, options);
  for (const [name, value] of Object.entries(read.values))
    if (wanted[name]?.kind === "seconds" && !/^\d{1,6}$/.test(String(value)))
      throw new UsageError(`--${name} ${value} is not understood: give a whole number of seconds.`);
  const expected = command.arguments ?? [];
  const missing = expected.find((each, i) => each.isRequired && read.positionals[i] === undefined);
  if (missing) throw new UsageError(`${missing.name} is missing: ${missing.doc}. See parley ${command.name} --help.`);
  const surplus = read.positionals[expected.length];
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is not understood. See parley ${command.name} --help.`);
  for (const [i, { name, values }] of expected.entries()) {
    const given = read.positionals[i];
    if (given !== undefined && values && !values.includes(given))
      throw new UsageError(`${name} "${given}" is not understood: it is one of ${values.join(", ")}.`);
  }
  return { arguments: read.positionals, options: read.values };
}

function parsed(
  { name }: Command,
  rest: readonly string[],
  options: Record<string, { type: "boolean" | "string" }>,
): { positionals: string[]; values: Record<string, string | boolean> } {
  try {
    const { positionals, values } = parseArgs({
      args: rest.filter((each) => each !== "--json"),
      options,
      allowPositionals: true,
    });
    return { positionals, values: values as Record<string, string | boolean> };
  } catch (thrown) {
    throw new UsageError(`${asError(thrown).message} See parley ${name} --help.`);
  }
}
