/** The files of the checkout, as the rules see them. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Text by path, the path from the root of the checkout with `/` between its parts. */
export type Tree = ReadonlyMap<string, string>;

const binary = /\.(png|jpe?g|gif|webp|ico|woff2?|ttf|wasm|gz|zip|pdf)$/;

/** What git tracks, and what it would track if it were added: new files must keep the rules before they are committed. */
export function readTree(root: string): Tree {
  // A checkout that belongs to another account is read all the same; nothing of it is run.
  const trust = ["-c", "safe.directory=*"];
  const list = execFileSync("git", [...trust, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = [...new Set(list.split("\0"))].filter((path) => path !== "" && !binary.test(path));
  const present = paths.filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile());
  return new Map(present.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx|mjs|js)$/.test(path) && !isGenerated(path);
}

export function isTest(path: string): boolean {
  return /\.test\.(ts|tsx|mjs)$/.test(path);
}

export function isGenerated(path: string): boolean {
  return path.includes("/generated/") || path.includes(".generated.");
}

/**
 * The code without its comments, line by line, so that prose about a rule does not break it. It goes by how the formatter
 * sets comments: on lines of their own, or after a blank.
 */
export function withoutComments(text: string): string {
  return text
    .split("\n")
    .map((line) => (/^\s*(\/\/|\/\*|\*)/.test(line) ? "" : line.replace(/\s\/\/\s.*$/, "")))
    .join("\n");
}
