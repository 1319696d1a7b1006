/** The audit log shows what an act changed, member by member. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "./differences.ts";

test("members that came, went, changed and stayed are told apart", () => {
  assert.deepEqual(differences({ a: 1, b: "x", c: true }, { b: "y", c: true, d: null }), [
    { name: "a", before: "1", after: null },
    { name: "b", before: "x", after: "y" },
    { name: "c", before: "true", after: "true" },
    { name: "d", before: null, after: "null" },
  ]);
});

test("values inside of values are named by their way, and empty ones are shown as they are", () => {
  assert.deepEqual(differences(null, { a: { b: [1, { c: 2 }] }, e: [], f: {} }), [
    { name: "a.b.0", before: null, after: "1" },
    { name: "a.b.1.c", before: null, after: "2" },
    { name: "e", before: null, after: "[]" },
    { name: "f", before: null, after: "{}" },
  ]);
});

test("a list that became empty, or was, is told by its members alone", () => {
  assert.deepEqual(differences({ devices: ["A", "B"] }, { devices: [] }), [
    { name: "devices.0", before: "A", after: null },
    { name: "devices.1", before: "B", after: null },
  ]);
  assert.deepEqual(differences({ devices: [] }, { devices: ["A"] }), [{ name: "devices.0", before: null, after: "A" }]);
});

test("a value that is no object is one line, and nothing on both sides is none", () => {
  assert.deepEqual(differences("was", "is"), [{ name: "", before: "was", after: "is" }]);
  assert.deepEqual(differences(null, undefined), []);
});
