// The specification's own examples of responses must pass: where one does not, either the checker is wrong, or the
// example is, and then it stands in the list below with the reason.

import assert from "node:assert/strict";
import test from "node:test";
import { openChecker } from "./checker.ts";
import { openDocuments, type SpecDocuments } from "./documents.ts";
import { isObject, type Json } from "./json.ts";
import type { DeclaredResponse } from "./operations.ts";
import { specOrSkip } from "./spec-dir.ts";

type Example = { file: string; value: Json };

/** Examples that break the schema they illustrate, by operation and status. */
const noError = "the example has an errcode and no error, which the standard error response must have";
const wrongExamples: Record<string, string> = {
  "getProtocolMetadata 404": noError,
  "getProtocols 200": "its second protocol has no icon, which the schema requires",
  "login 403": noError,
  "queryLocationByAlias 404": noError,
  "queryLocationByProtocol 404": noError,
  "queryUserByID 404": noError,
  "queryUserByProtocol 404": noError,
  "sync 200": "it is older than device_unused_fallback_key_types, which the text requires; with it, it passes (below)",
};

test("every response example of the specification passes, but for the listed ones, which do not", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const checker = openChecker(dir);
  const documents = openDocuments(dir);
  let checked = 0;
  const wrong: Record<string, string> = {};
  for (const operation of checker.operations()) {
    for (const [status, response] of operation.responses) {
      for (const example of examplesOf(documents, response)) {
        checked += 1;
        try {
          checker.checkDeclared(operation, status, expand(documents, example));
        } catch (error) {
          wrong[`${operation.operationId} ${status}`] = String(error);
        }
      }
    }
  }
  assert.deepEqual(
    Object.keys(wrong).toSorted(),
    Object.keys(wrongExamples).toSorted(),
    JSON.stringify(wrong, null, 2),
  );
  assert.ok(checked > 250, `only ${checked} examples were found`);
});

test("the example of /sync passes with the field that its text requires", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const documents = openDocuments(dir);
  const checker = openChecker(dir);
  const sync = checker.operations().find((each) => each.operationId === "sync");
  const [example] = examplesOf(documents, sync?.responses.get(200) ?? assert.fail("no /sync"));
  const body = expand(documents, example ?? assert.fail("no example"));
  assert.ok(isObject(body));
  const path = "/_matrix/client/v3/sync";
  const response = { method: "GET", path, status: 200, body: { ...body, device_unused_fallback_key_types: [] } };
  assert.equal(checker.checkResponse(response)?.operationId, "sync");
});

function examplesOf(documents: SpecDocuments, response: DeclaredResponse): Example[] {
  const { file, value } = response.written;
  const content = isObject(value) && isObject(value.content) ? value.content["application/json"] : undefined;
  if (!isObject(content)) return [];
  const named = isObject(content.examples) ? Object.values(content.examples) : [];
  const found = named.map((each) => follow(documents, { file, value: each }));
  const values = found.flatMap(({ file, value }) => (isObject(value) ? [{ file, value: value.value ?? null }] : []));
  if (content.example !== undefined) values.push({ file, value: content.example });
  const schema = follow(documents, { file, value: content.schema ?? null });
  if (isObject(schema.value) && schema.value.example !== undefined) {
    values.push({ file: schema.file, value: schema.value.example });
  }
  return values;
}

function follow(documents: SpecDocuments, at: Example): Example {
  const ref = isObject(at.value) ? at.value.$ref : undefined;
  return typeof ref === "string" ? documents.follow(at.file, ref) : at;
}

/** In an example `$ref` means: the fields of that file, with the fields beside the `$ref` put over them. */
function expand(documents: SpecDocuments, { file, value }: Example): Json {
  if (Array.isArray(value)) return value.map((item) => expand(documents, { file, value: item }));
  if (!isObject(value)) return value;
  const { $ref, ...own } = value;
  const fields = Object.entries(own).map(([key, item]) => [key, expand(documents, { file, value: item })] as const);
  if (typeof $ref !== "string") return Object.fromEntries(fields);
  const base = expand(documents, documents.follow(file, $ref));
  return isObject(base) ? { ...base, ...Object.fromEntries(fields) } : base;
}
