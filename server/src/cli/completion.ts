/** What a shell needs to complete the commands and their options: `source <(parley completion bash)`. */
import type { Command } from "./command.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export function completion(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](wordsOf(commands));
}

/** What may follow: by the words before, "" being the beginning. */
function wordsOf(commands: readonly Command[]): Map<string, string[]> {
  const following = new Map<string, Set<string>>([
    ["", new Set(["completion", "help"])],
    ["completion", new Set(shells)],
  ]);
  for (const { name, options = {}, arguments: expected = [] } of commands) {
    const words = name.split(" ");
    for (const [i, word] of words.entries()) {
      const before = words.slice(0, i).join(" ");
      following.set(before, (following.get(before) ?? new Set()).add(word));
    }
    const all = following.get(name) ?? new Set();
    for (const value of expected[0]?.values ?? []) all.add(value);
    for (const option of [...Object.keys(options), "json", "help"]) all.add(`--${option}`);
    following.set(name, all);
  }
  return new Map([...following].map(([before, words]) => [before, [...words]]));
}

type Words = ReadonlyMap<string, readonly string[]>;

/** Options are no part of the name, and what was typed behind the name changes nothing. */
function cases(words: Words): string {
  return [...words]
    .toSorted(([a], [b]) => b.length - a.length)
    .map(([before, next]) => `    ${before === "" ? '""' : `"${before}"*`}) words="${next.join(" ")}" ;;`)
    .join("\n");
}

function bash(words: Words): string {
  return `_parley() {
  local word before="" words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || before="\${before:+$before }$word"
  done
  case "$before" in
${cases(words)}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _parley parley`;
}

function zsh(words: Words): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([before, next]) => {
    const condition = `test (string join ' ' -- (string match -v -- '-*' (commandline -opc)[2..])) = '${before}'`;
    return next.map((word) => `complete -c parley -f -n "${condition}" -a '${word}'`);
  });
  return lines.join("\n");
}
