/** docs/operations/helm.md: what it tells to type is something that a shell reads, and names what the chart has. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commands } from "../../server/src/cli/commands.ts";
import { renderChart } from "./chart.ts";
import { missingTools, repoRoot } from "./tools.ts";

const page = readFileSync(join(repoRoot, "docs/operations/helm.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block as string);

test("every block of commands is something that a shell reads", () => {
  assert.ok(blocks.length > 8);
  for (const block of blocks) {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: block, encoding: "utf8" });
    assert.equal(status, 0, `${stderr}\n${block}`);
  }
});

test("every command of the console that it names is one", () => {
  const named = [...blocks.join("\n").matchAll(/-- parley ((?:[a-z]+ ?){1,2})/g)].map(([, words]) =>
    String(words).trim(),
  );
  assert.ok(named.length > 1);
  for (const words of named)
    assert.ok(
      commands.some(({ name }) => name === words || name === words.split(" ")[0]),
      words,
    );
});

test(
  "every object that is named after the release is one of the chart, whatever the release is called",
  { skip: missingTools },
  async () => {
    const all = await Promise.all(
      ["backup", "production"].map((values) => renderChart(values, ["fullnameOverride=mine"])),
    );
    const names = new Set(all.flat().map(({ kind, metadata }) => `${kind.toLowerCase()} ${metadata.name}`));
    const text = blocks.join("\n").replaceAll("secret=$RELEASE-postgresql", "kubectl get secret/$RELEASE-postgresql");
    const named = [...text.matchAll(/(deployment|cronjob|secret|cluster)[/ ]\$RELEASE-([a-z-]*[a-z])/g)];
    assert.ok(named.length > 5);
    for (const [all, kind, name] of named) assert.ok(names.has(`${kind} mine-${name}`), all);
  },
);
