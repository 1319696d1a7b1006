/** The plain PostgreSQL after its pod was killed while it made its files: they are made anew, and what ran is left alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { renderChart } from "./chart.ts";
import { ofKind, podsIn } from "./invariants/objects.ts";
import { objectsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-begin-"));
after(() => rmSync(folder, { recursive: true }));

/** The container's command, on a folder of this machine in place of its volume. */
function begin(objects: readonly KubernetesObject[], data: string): void {
  const [pods] = podsIn(ofKind(objects, "StatefulSet").filter(({ metadata }) => /postgres/.test(metadata.name)));
  const command = pods?.spec.initContainers?.find(({ name }) => name === "begin")?.command ?? [];
  const [program = "", ...args] = command.map((each) => each.replaceAll("/data/", `${data}/`));
  assert.equal(spawnSync(program, args).status, 0);
}

for (const [name, rendered] of [
  ["the chart", () => renderChart("minimal")],
  ["the overlays", () => objectsOf("minikube")],
] as const)
  test(`in ${name}: what was cut short is made anew, and what was finished stays`, { skip: missingTools }, async () => {
    const objects = await rendered();
    const data = join(folder, name.replace(" ", "-"));
    const version = join(data, "pgdata", "PG_VERSION");
    mkdirSync(data);
    begin(objects, data);
    assert.ok(existsSync(join(data, "initialising")), "it begins");
    mkdirSync(join(data, "pgdata"));
    writeFileSync(version, "17");
    begin(objects, data);
    assert.equal(existsSync(version), false, "it was killed before its last step");
    mkdirSync(join(data, "pgdata"));
    writeFileSync(version, "17");
    // The last line of the script that makes the users.
    assert.match(JSON.stringify(objects), /rm -f \/var\/lib\/postgresql\/data\/initialising/);
    rmSync(join(data, "initialising"));
    begin(objects, data);
    assert.ok(existsSync(version), "it is whole");
    assert.equal(existsSync(join(data, "initialising")), false);
  });
