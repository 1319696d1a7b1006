/** Rules about what stands in the files. */
import { isCode, isGenerated, isTest, type Tree, withoutComments } from "./tree.ts";

const linesMax = 400;

interface Pattern {
  /** As in "calls Date.now". */
  what: string;
  pattern: RegExp;
}

function matches(tree: Tree, isMeant: (path: string) => boolean, patterns: readonly Pattern[]): string[] {
  return [...tree]
    .filter(([path]) => isMeant(path))
    .flatMap(([path, text]) => {
      const lines = (isCode(path) ? withoutComments(text) : text).split("\n");
      return lines.flatMap((line, index) =>
        patterns.filter(({ pattern }) => pattern.test(line)).map(({ what }) => `${path}:${index + 1} ${what}`),
      );
    });
}

/** No file of code or style is longer than 400 lines, tests and generated ones aside. */
export function longFiles(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => /\.(ts|tsx|mjs|css)$/.test(path) && !isTest(path) && !isGenerated(path))
    .map(([path, text]) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines; ${linesMax} is the most`);
}

/** In the server only config.ts reads the environment. */
export function environmentReads(tree: Tree): string[] {
  const isMeant = (path: string) => isServerCode(path) && path !== "server/src/config.ts";
  return matches(tree, isMeant, [
    { what: "reads process.env", pattern: /\bprocess\.env\b|\benv\b.*from "node:process"/ },
  ]);
}

/** Time, chance and timers come from the seams, so that a simulation can run the same code. */
export function seamsPassedBy(tree: Tree): string[] {
  // main.ts has the deadline of its own end, the console keeps itself awake; the embedded database is a process of the real world.
  // What ends with .js runs in the browser that has a page open.
  const outside = /^server\/src\/((main|cli\/main|seams|db\/embedded)\b|.*\.js$)/;
  return matches(tree, (path) => isServerCode(path) && !outside.test(path), [
    { what: "calls Date.now", pattern: /\bDate\.now\(/ },
    { what: "takes the time from new Date()", pattern: /\bnew Date\(\)/ },
    { what: "calls Math.random", pattern: /\bMath\.random\(/ },
    { what: "sets a timer", pattern: /(?<![.\w])(setTimeout|setInterval)\(/ },
    { what: "takes random bytes", pattern: /(?<!\.)\b(randomBytes|randomUUID|randomInt|randomFill|getRandomValues)\(/ },
    {
      what: "takes random bytes",
      pattern: /\bcrypto\.(randomBytes|randomUUID|randomInt|randomFill|getRandomValues)\(/,
    },
    { what: "imports timers", pattern: /from "node:timers/ },
  ]);
}

/** Written so that it does not find itself. */
const mark = /\b(TO[D]O|FIX[M]E|X[X]X)\b/;

/** Work is done or left out; it is not marked as to be done. */
export function unfinishedWork(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => /\.(ts|tsx|mjs|css|sql|md|html)$/.test(path) && !isGenerated(path))
    .flatMap(([path, text]) =>
      text
        .split("\n")
        .flatMap((line, index) => (mark.test(line) ? [`${path}:${index + 1} marks unfinished work`] : [])),
    );
}

/** No test runs alone. */
export function lonelyTests(tree: Tree): string[] {
  return matches(tree, isCode, [{ what: "runs one test only", pattern: /\b(test|it|describe|suite)\.only\(/ }]);
}

/** Nothing in the repository knows the machine that it was written on, or the registry that it was installed from. */
export function machineTraces(tree: Tree): string[] {
  return matches(tree, () => true, [
    { what: "has a path of one machine", pattern: /(?<![\w.])\/(work|farm|tmp\/parley)\// },
    { what: "names a registry", pattern: /"resolved": *"http|registry *= *http|registry\.npmjs/ },
  ]);
}

/** Every setting is documented, and no setting is documented that is not there. */
export function settingsInDocs(tree: Tree, names: readonly string[]): string[] {
  const path = "docs/operations/settings.md";
  const text = tree.get(path) ?? "";
  const missing = names.filter((name) => !text.includes(`\`${name}\``)).map((name) => `${path} does not have ${name}`);
  const mentioned = [...new Set(text.match(/\bPARLEY_[A-Z_]+[A-Z]\b/g))];
  const unknown = mentioned
    .filter((name) => !names.includes(name))
    .map((name) => `${path} has ${name}, which is no setting`);
  return [...missing, ...unknown];
}

/** Every decision stands in the list that a reader begins with. */
export function decisionsInList(tree: Tree): string[] {
  const list = tree.get("docs/README.md") ?? "";
  const paths = [...tree.keys()].filter((path) => path.startsWith("docs/decisions/"));
  return paths
    .filter((path) => !list.includes(`](${path.slice("docs/".length)})`))
    .map((path) => `docs/README.md does not list ${path}`);
}

function isServerCode(path: string): boolean {
  return path.startsWith("server/src/") && isCode(path) && !isTest(path) && !path.startsWith("server/src/structure/");
}
