/** What `--help` says, from the table of commands. */
import type { Argument, Command } from "./command.ts";
import { table } from "./command.ts";

const COMMON = [
  ["--json", "One JSON object on standard output, for scripts; what is told on the way goes to standard error."],
  ["--help", "This text."],
];

/** All commands, or those that begin with the words. */
export function overview(commands: readonly Command[], words: readonly string[] = []): string {
  const begun = words[0] === "help" ? words.slice(1) : words;
  const some = commands.filter(({ name }) => begun.length > 0 && name.startsWith(`${begun.join(" ")} `));
  const shown = some.length > 0 ? some : commands;
  const lines = shown.map(({ name, summary }) => [`  ${name}`, summary]);
  if (some.length === 0)
    lines.push(["  completion bash|zsh|fish", "Prints what lets the shell complete these commands."]);
  return `Usage: parley <command> [options]

${table(lines)}

parley <command> --help says more. Each command takes --json. Exit codes: 0 all is well, 1 it failed or found
trouble, 2 it was not understood. Settings are environment variables: docs/operations/settings.md.`;
}

export function helpOf({ name, help, arguments: expected = [], options = {} }: Command): string {
  const places = expected.map(placeOf);
  const rows = [
    ...expected.map((each) => [`  ${each.name}`, `${each.doc}.`]),
    ...Object.entries(options).map(([option, { kind, value, doc }]) => [
      `  --${option}${kind === "flag" ? "" : ` <${value ?? kind}>`}`,
      doc,
    ]),
    ...COMMON.map(([option = "", doc = ""]) => [`  ${option}`, doc]),
  ];
  return `Usage: ${["parley", name, ...places, "[options]"].join(" ")}\n\n${help}\n\n${table(rows)}`;
}

function placeOf({ name, isRequired }: Argument): string {
  return isRequired ? `<${name}>` : `[${name}]`;
}
