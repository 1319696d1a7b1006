/** The table of docs/operations/kubernetes.md: what it points to is there, and nothing that the documents say is left out. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { seeds } from "../src/seeds/all.ts";
import { file, overlay, page, row, setting, type Target, value } from "../src/seeds/row.ts";
import { pagePath, withTables } from "../src/seeds/table.ts";
import { namesIn, problemOf, withoutRow } from "./seeds-check.ts";
import { missingTools, repoRoot } from "./tools.ts";

const skip = missingTools;
const documents = process.env["SEEDS_DIR"] ?? join(repoRoot, "..", "shared", "seeds");
const skipDocuments =
  !existsSync(documents) && `the documents are not in ${documents}: set SEEDS_DIR to where they are`;

test("every row says where it is met", () => {
  for (const { name, rows } of seeds)
    for (const { statement, section, met } of rows) {
      assert.ok(met.length > 0, `${name}: ${statement}`);
      assert.ok(section !== "" && statement !== "", name);
    }
});

test("no row stands twice", () => {
  for (const { name, rows } of seeds) {
    const all = rows.map(({ section, statement }) => `${section}: ${statement}`);
    assert.deepEqual(
      all.filter((each, index) => all.indexOf(each) !== index),
      [],
      name,
    );
  }
});

test("what every row points to is there", { skip }, async () => {
  const problems: string[] = [];
  for (const { name, rows } of seeds)
    for (const { statement, met } of rows)
      for (const target of met) {
        const problem = await problemOf(target);
        if (problem) problems.push(`${name}, "${statement}": ${problem}`);
      }
  assert.deepEqual(problems, []);
});

test("a row that points to what is not there is found, whatever it points to", { skip }, async () => {
  const { object, env, replicas, service, path, data, claim } = overlay("irc");
  const planted: readonly Target[] = [
    file("deploy/kustomize/overlays/irc/nothing.yaml"),
    file("deploy/web/nginx.conf", "listen 81"),
    page("kubernetes", "Not There"),
    setting("JWT_SECRET"),
    value("api.imag"),
    object("Deployment/bakend"),
    replicas("backend", 3),
    service("backend", 8003),
    env("Deployment/backend", "JWT_SECRET"),
    env("Deployment/storage", "MINIO_BUCKET", "another"),
    path("/api", "nobody"),
    data("irc-config", "PARLEY_BUS", "nats"),
    claim("StatefulSet/postgres", "11Gi"),
  ];
  for (const target of planted) assert.ok(await problemOf(target), JSON.stringify(target));
});

test("the page has the tables of the rows", () => {
  const text = readFileSync(join(repoRoot, pagePath), "utf8");
  assert.equal(text, withTables(text), "write them with: node deploy/src/seeds/table.ts");
  const cells = text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .flatMap((line) => line.split(/(?<!\\)\|/).slice(1, -1));
  assert.deepEqual(
    cells.filter((each) => each.trim() === "" && !text.includes("| | for |")),
    [],
  );
});

test("each variable, port, path and kind of the documents has a row", { skip: skipDocuments }, () => {
  const known = readdirSync(documents)
    .filter((each) => each.endsWith(".md"))
    .map((each) => each.replace(".md", ""));
  assert.deepEqual(known.toSorted(), seeds.map(({ name }) => name).toSorted());
  for (const { name, rows } of seeds) {
    const names = namesIn(readFileSync(join(documents, `${name}.md`), "utf8"));
    assert.ok(names.length > 10, name);
    assert.deepEqual(withoutRow(names, rows), [], `${name} has these, and no row`);
  }
});

test("a document that says more than the rows is found", () => {
  const text = "- `NEW_SETTING=1`\n- listens on port 7777\n- asked at `/health/new`\n- a PodDisruptionBudget";
  const rows = [row("a", "`OLD_SETTING` on port 80", file("README.md"))];
  assert.deepEqual(withoutRow(namesIn(text), rows), ["NEW_SETTING", "7777", "/health/new", "PodDisruptionBudget"]);
});
