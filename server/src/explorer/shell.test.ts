/** The explorer in the shell: everything that the console does with a connection, and exit codes that say how a stream ended. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parley as parleyWith } from "../../../testkit/src/command.ts";
import { createGraph, linesOf, startExplorer } from "../../../testkit/src/explorer.ts";

const world = await startExplorer();
const { skip, server, fields } = world;
const directory = mkdtempSync(join(tmpdir(), "parley-explorer-"));
after(async () => {
  rmSync(directory, { recursive: true });
  await world.stop();
});

const env = { DATABASE_URL: server.databaseUrl, PARLEY_PORT: new URL(server.url).port };
const parley = (...typed: string[]) => parleyWith(["explorer", ...typed], { env });

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const where = (over: Partial<typeof fields> = {}) => {
  const { host, port, database, user, tls } = { ...fields, ...over };
  const place = ["--host", host, "--port", `${port}`, "--database", database, "--user", user, "--tls", tls];
  return [...place, "--password-file", file("password", `${fields.password}\n`)];
};

async function saved(name: string): Promise<string> {
  const made = await parley("connection", "add", name, ...where(), "--json");
  assert.equal(made.code, 0, made.error);
  return made.json().id;
}

test("a connection is tried, saved, changed, tested and removed, and its graphs are shown", { skip }, async () => {
  assert.equal((await parley("connection", "try", "x", ...where())).code, 0);
  const wrong = await parley("connection", "try", "x", ...where({ database: "nobody" }), "--json");
  assert.deepEqual([wrong.code, wrong.json().reason], [1, "3D000"]);
  const id = await saved("shelf");
  const changed = await parley("connection", "change", id, "--name", "desk", ...where(), "--json");
  assert.deepEqual([changed.code, changed.json().name], [0, "desk"]);
  assert.equal((await parley("connection", "test", id)).code, 0);
  await createGraph(server, fields, "shown");
  assert.match((await parley("graph", "list", id)).out, /shown/);
  await parley("write", id, "shown", "CREATE (:Tree {name: 'Oak'})-[:STANDS_BY]->(:Tree)", "--confirm", "shown");
  assert.match((await parley("graph", "show", id, "shown")).out, /Tree +2[^]*STANDS_BY +1/);
  assert.equal((await parley("connection", "remove", id)).code, 0);
  assert.equal((await parley("graph", "list", id)).code, 1);
});

test("the exit code of a query is that of its end, also where rows came before", { skip }, async () => {
  const id = await saved("streams");
  await createGraph(server, fields, "streams");
  const good = await parley("query", id, "streams", "UNWIND range(1, 3) AS i RETURN i");
  assert.equal(good.code, 0);
  assert.deepEqual(linesOf({ text: good.out })[1], { rows: [[1], [2], [3]] });
  const late = "UNWIND range(1, 1000) AS i RETURN 1 / (900 - i)";
  const failed = await parley("query", id, "streams", late);
  assert.equal(failed.code, 1, "rows came, and then it failed");
  assert.match(failed.out, /division by zero/);
  const asJson = await parley("query", id, "streams", late, "--json");
  assert.deepEqual([asJson.code, asJson.json().ok, asJson.json().errcode], [1, false, "M_INVALID_PARAM"]);
  const path = join(directory, "rows.ndjson");
  assert.equal((await parley("query", id, "streams", late, "--output", path)).code, 1);
  assert.match(readFileSync(path, "utf8"), /"error"/);
  const csv = join(directory, "rows.csv");
  assert.equal((await parley("query", id, "streams", "RETURN 1 AS a", "--format", "csv", "--output", csv)).code, 0);
  assert.equal(readFileSync(csv, "utf8"), "a\r\n1\r\n");
  assert.equal((await parley("query", id, "streams", late, "--format", "csv")).code, 1, "a file breaks off");
});

test("a file is imported whole, or not, and says so", { skip }, async () => {
  const id = await saved("files");
  await createGraph(server, fields, "files");
  const mapping = JSON.stringify({
    label: "Tree",
    columns: [{ header: "height", property: "height", type: "integer" }],
  });
  const importing = (path: string, ...more: string[]) =>
    parley("import", id, "files", "--confirm", "files", "--mapping", mapping, "--file", path, ...more);
  const many = file(
    "trees.csv",
    `height,what\n${Array.from({ length: 3_000 }, (_, i) => `${i},${"x".repeat(500)}`).join("\n")}\n`,
  );
  const made = await importing(many);
  assert.equal(made.code, 0, made.error);
  assert.deepEqual(linesOf({ text: made.out }).at(-1), { done: { lines: 3_000, created: 3_000, is_written: true } });
  const bad = await importing(file("bad.csv", "height\n1\ntall\n"), "--json");
  assert.equal(bad.code, 1);
  assert.match(bad.json().error, /^Nothing was written\. Line 3: "tall"/);
  assert.equal((await importing(join(directory, "nothing.csv"))).code, 2);
  assert.equal((await parley("import", id, "files", "--confirm", "files", "--mapping", mapping)).code, 2);
  const [, counted] = linesOf({ text: (await parley("query", id, "files", "MATCH (n) RETURN count(n)")).out });
  assert.deepEqual(counted.rows, [[3_000]]);
});
