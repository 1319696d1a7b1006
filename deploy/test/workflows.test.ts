/** The workflows, as text: nobody can run them here, so what would make them unsafe or stale is looked for. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { images } from "../src/release.ts";
import { readDockerfile } from "./dockerfile.ts";
import { repoRoot } from "./tools.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  "runs-on": string;
  steps: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const folder = join(repoRoot, ".github", "workflows");
const texts = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
const workflows = new Map([...texts].map(([name, text]) => [name, parse(text, { uniqueKeys: true }) as Workflow]));
const jobs = [...workflows].flatMap(([name, { jobs }]) =>
  Object.entries(jobs).map(([job, what]) => ({ where: `${name}/${job}`, ...what })),
);
const steps = jobs.flatMap(({ where, steps }) => steps.map((step) => ({ where, ...step })));

test("there are the three workflows of a release", () => {
  assert.deepEqual([...workflows.keys()].toSorted(), ["build-images.yml", "chart.yml", "test.yml"]);
});

test("a workflow may read by default, and a job gets more by name, and only what it uses", () => {
  for (const [name, { permissions }] of workflows) assert.deepEqual([name, permissions], [name, { contents: "read" }]);
  const uses = (job: Job, pattern: RegExp) => job.steps.some((step) => pattern.test(JSON.stringify(step)));
  const wanted: Record<string, RegExp> = {
    packages: /docker\/login-action/,
    "id-token": /cosign sign|attest-/,
    attestations: /actions\/attest-/,
  };
  for (const { where, ...job } of jobs) {
    const { contents = "read", ...more } = job.permissions ?? {};
    assert.equal(contents, "read", where);
    const needed = Object.keys(wanted).filter((scope) => uses(job, wanted[scope] as RegExp));
    assert.deepEqual([where, Object.keys(more).toSorted()], [where, needed.toSorted()]);
  }
});

test("no code of a pull request meets a secret, and no text of an event becomes a script", () => {
  for (const [name, { on }] of workflows) {
    assert.ok(!("pull_request_target" in on) && !("workflow_run" in on) && !("issue_comment" in on), name);
    if ("pull_request" in on) assert.doesNotMatch(texts.get(name) as string, /secrets\./, name);
  }
  for (const { where, run = "" } of steps) assert.doesNotMatch(run, /\$\{\{/, `${where}: hand it over as a variable`);
});

test("actions are of an exact version, the same everywhere, and images are never the latest", () => {
  const versions = new Map<string, Set<string>>();
  for (const { where, uses } of steps) {
    if (uses === undefined) continue;
    const [action = "", version = ""] = uses.split("@");
    assert.match(version, /^(v\d+\.\d+\.\d+|[0-9a-f]{40})$/, `${where}: ${uses}`);
    versions.set(action, (versions.get(action) ?? new Set()).add(version));
  }
  for (const [action, each] of versions) assert.equal(each.size, 1, action);
  for (const [name, text] of texts) assert.doesNotMatch(text, /\blatest\b/, name);
});

test("a checkout keeps no token, and every job ends some time, on a machine that is named", () => {
  for (const { where, uses = "", with: given } of steps)
    if (uses.startsWith("actions/checkout@")) assert.equal(given?.["persist-credentials"], false, where);
  for (const { where, ...job } of jobs) {
    assert.ok((job["timeout-minutes"] ?? 0) > 0, where);
    assert.match(job["runs-on"], /^ubuntu-\d+\.\d+|^\$\{\{ matrix\.machine \}\}$/, where);
  }
});

test("what the workflows run is there: scripts, Dockerfiles, the chart", () => {
  const { scripts } = JSON.parse(readFileSync(join(repoRoot, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const all = [...texts.values()].join("\n");
  for (const [, name = ""] of all.matchAll(/npm (?:run )?(test(?::\w+)?)/g)) assert.ok(name in scripts, name);
  const paths = [...all.matchAll(/\bdeploy\/[\w./-]+/g)].map(([path]) => path);
  assert.ok(paths.length > 3);
  for (const path of paths) assert.ok(existsSync(join(repoRoot, path)), path);
});

test("every image is built for both architectures under the names that the manifests use, with every base pinned", () => {
  const text = texts.get("build-images.yml") as string;
  const { matrix } = (parse(text) as { jobs: { build: { strategy: { matrix: Record<string, unknown> } } } }).jobs.build
    .strategy;
  assert.deepEqual(
    matrix["image"],
    Object.values(images).map((name) => name.split("/").at(-1)),
  );
  assert.deepEqual(matrix["architecture"], ["amd64", "arm64"]);
  for (const file of ["deploy/Dockerfile", "deploy/web/Dockerfile", "deploy/cnpg/image/Dockerfile"]) {
    const { args, stages } = readDockerfile(join(repoRoot, file));
    const bases = stages.map(({ base }) => base).filter((base) => !stages.some(({ name }) => name === base));
    for (const base of bases) {
      const name = /^\$\{([A-Z]+_IMAGE)\}$/.exec(base)?.[1] as string;
      assert.match(args[name] ?? "", /^[\w./-]+:\d[\w.-]*$/, `${file}: ${base}`);
    }
  }
});
