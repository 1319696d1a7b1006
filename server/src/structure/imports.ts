/** Which file imports what. */
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { isCode, type Tree, withoutComments } from "./tree.ts";

export interface Import {
  /** The file that imports. */
  from: string;
  /** The file of the checkout, or undefined when it is a package. */
  file?: string;
  /** The package, such as `pg` or `@scope/name`, or undefined when it is a file or comes with Node. */
  packageName?: string;
}

const patterns = [
  /^(?:import|export)\s[^;"'`]*?\bfrom\s+["']([^"']+)["']/gm,
  /^import\s+["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
  /\b(?:import\.meta\.resolve|require|require\.resolve)\(\s*["']([^"']+)["']\s*\)/g,
];

/** All imports of a tree, static and dynamic, of values and of types. */
export function importsOf(tree: Tree): Import[] {
  return [...tree].filter(([path]) => isCode(path)).flatMap(([path, text]) => importsIn(path, text));
}

function importsIn(from: string, text: string): Import[] {
  const code = withoutComments(text);
  const specifiers = patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""));
  return specifiers.flatMap((specifier) => resolved(from, specifier.replace(/\?.*$/, "")));
}

function resolved(from: string, specifier: string): Import[] {
  if (specifier.startsWith(".")) return [{ from, file: posix.join(posix.dirname(from), specifier) }];
  if (specifier.startsWith("/") || /^[a-z]+:/.test(specifier) || isBuiltin(specifier)) return [];
  const [first, second] = specifier.split("/");
  return [{ from, packageName: specifier.startsWith("@") ? `${first}/${second}` : (first ?? "") }];
}
