import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { filesReferredTo, openDocuments } from "./documents.ts";
import { matrixFormats } from "./formats.ts";
import { isObject, type Json } from "./json.ts";
import { openOperations } from "./operations.ts";
import { specDir, specOrSkip } from "./spec-dir.ts";

const apiDir = "api/client-server";

test("the index finds every operation that the parsed files hold", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const documents = openDocuments(dir);
  const expected = readdirSync(join(dir, "data", apiDir))
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) => operationIds(documents.raw(`${apiDir}/${name}`)));
  const found = openOperations(dir, documents).all();
  assert.deepEqual(found.map((each) => each.operationId).toSorted(), expected.toSorted());
  assert.ok(found.length > 150, `only ${found.length} operations`);
});

test("every operation is found by its own path", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const index = openOperations(dir, openDocuments(dir));
  for (const operation of index.all()) {
    const found = index.find(operation.method, operation.path.replaceAll(/\{.*?\}/g, "x"));
    assert.ok(found.includes(operation), `${operation.method} ${operation.path} found ${found[0]?.operationId}`);
  }
});

test("every string format that the API uses is checked", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const documents = openDocuments(dir);
  const files = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const other of filesReferredTo(file, documents.schema(file))) visit(other);
  };
  for (const name of readdirSync(join(dir, "data", apiDir))) if (name.endsWith(".yaml")) visit(`${apiDir}/${name}`);
  const used = new Set([...files].flatMap((file) => formatsIn(documents.schema(file))));
  const checked = new Set([...Object.keys(matrixFormats), "uri", "email", "int64", "float"]);
  assert.deepEqual(
    [...used].filter((format) => !checked.has(format)),
    [],
  );
});

const identifiers: [format: string, value: string, valid: boolean][] = [
  ["mx-user-id", "@alice:example.org", true],
  ["mx-user-id", "@Älice 1:example.org:8448", true],
  ["mx-user-id", "@alice:[1234:5678::abcd]:5678", true],
  ["mx-user-id", "@:example.org", true],
  ["mx-user-id", "alice:example.org", false],
  ["mx-user-id", "@alice", false],
  ["mx-user-id", "@al:ice:example.org", false],
  ["mx-user-id", `@${"a".repeat(250)}:b.org`, false],
  ["mx-room-id", "!opaque:example.org", true],
  ["mx-room-id", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM", true],
  ["mx-room-id", "!short", false],
  ["mx-room-alias", "#room:example.org", true],
  ["mx-room-alias", "#:example.org", false],
  ["mx-event-id", "$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg", true],
  ["mx-event-id", "$", false],
  ["mx-server-name", "example.org:8448", true],
  ["mx-server-name", "example org", false],
  ["mx-mxc-uri", "mxc://example.org/AQwafuaFswefuhsfAFAgsw", true],
  ["mx-mxc-uri", "mxc://example.org/../secret", false],
  ["mx-unpadded-base64", "Zm9v+/8", true],
  ["mx-unpadded-base64", "Zm8=", false],
  ["mx-urlsafe-unpadded-base64", "Zm9v-_8", true],
  ["mx-urlsafe-unpadded-base64", "Zm9v+/8", false],
];

for (const [format, value, valid] of identifiers) {
  test(`${value.slice(0, 60)} is ${valid ? "a" : "no"} ${format}`, () => {
    assert.equal(matrixFormats[format]?.(value), valid);
  });
}

test("a MATRIX_SPEC_DIR without a specification is an error, not a skip", () => {
  assert.throws(() => specDir({ MATRIX_SPEC_DIR: import.meta.dirname }), /MATRIX_SPEC_DIR is/);
});

function operationIds(file: Json): string[] {
  const paths = isObject(file) && isObject(file.paths) ? Object.values(file.paths) : [];
  const operations = paths.flatMap((item) => (isObject(item) ? Object.values(item) : []));
  const ids = operations.map((each) => (isObject(each) ? each.operationId : undefined));
  return ids.filter((id) => typeof id === "string");
}

function formatsIn(node: Json): string[] {
  if (Array.isArray(node)) return node.flatMap(formatsIn);
  if (!isObject(node)) return [];
  const own = [node.format, node["x-pattern-format"]].filter((each) => typeof each === "string");
  return [...own, ...Object.values(node).flatMap(formatsIn)];
}
