/** docs/operations/kubernetes.md: what it tells to type is there, and its links lead somewhere. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commands } from "../../server/src/cli/commands.ts";
import { anchor, pagePath } from "../src/seeds/table.ts";
import { installations, objectsOf, paths } from "./kustomizations.ts";
import { missingTools, repoRoot } from "./tools.ts";

const text = readFileSync(join(repoRoot, pagePath), "utf8");
/** Without the table, whose rows are checked by themselves. */
const prose = text.slice(0, text.indexOf("## The table"));
const blocks = [...prose.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block as string);

test("every block of commands is something that a shell reads", () => {
  assert.ok(blocks.length > 15);
  for (const block of blocks) {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: block, encoding: "utf8" });
    assert.equal(status, 0, `${stderr}\n${block}`);
  }
});

test("every command of the console that it names is one", () => {
  const named = [...prose.matchAll(/(?:-- |`)parley ((?:[a-z]+ ?){1,2})/g)].map(([, words]) =>
    (words as string).trim(),
  );
  assert.ok(named.length > 3);
  const known = new Set(commands.map(({ name }) => name));
  for (const words of named)
    assert.ok(known.has(words) || known.has(words.split(" ")[0] as string), `there is no command parley ${words}`);
});

test("every path of the repository that it names is there, and what is applied may be", () => {
  const named = [...prose.matchAll(/(?<![\w/])((?:deploy|server|docs)\/[\w./-]*\w)/g)].map(
    ([, path]) => path as string,
  );
  for (const path of named) assert.ok(existsSync(join(repoRoot, path)), path);
  const applied = [...prose.matchAll(/kubectl (?:apply|delete) -k (\S*\w)/g)].map(([, path]) => path as string);
  for (const path of applied) assert.ok(Object.values(paths).includes(path), path);
});

test("every link leads to a page and a heading that are there", () => {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);
  for (const link of links.filter((each) => !each.startsWith("https://"))) {
    const [path = "", heading] = link.split("#");
    const target = path === "" ? join(repoRoot, pagePath) : join(repoRoot, "docs/operations", path);
    assert.ok(existsSync(target), link);
    if (heading === undefined) continue;
    const headings = readFileSync(target, "utf8").match(/^#+ .*$/gm) ?? [];
    assert.ok(
      headings.some((each) => anchor(each.replace(/^#+ /, "")) === heading),
      link,
    );
  }
});

test(
  "every workload and Service that a command names is one of an installation, or of the drill",
  {
    skip: missingTools,
  },
  async () => {
    const rendered = await Promise.all([...Object.keys(installations), "cnpg-restore-drill"].map(objectsOf));
    const known = new Set(rendered.flat().map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`));
    // What `kubectl create job` makes is called …-now.
    const pattern = /\b((?:deployment|service|job|cronjob)\/(?![a-z-]*-now)[a-z][a-z-]*[a-z])\b/g;
    const named = blocks.flatMap((block) => [...block.matchAll(pattern)].map(([, name]) => name as string));
    assert.ok(named.length > 10);
    for (const name of named) assert.ok(known.has(name), `there is no ${name}`);
  },
);
