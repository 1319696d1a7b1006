/** The pages for administrators of a PostgreSQL name every role that the code acts as. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { schemas } from "./roles.ts";

test("the statements that make the roles, as the pages have them, make all of them", () => {
  for (const page of ["running", "upgrading"]) {
    const text = readFileSync(new URL(`../../../docs/operations/${page}.md`, import.meta.url), "utf8");
    const list = /foreach domain in array array\[([^\]]+)\]/.exec(text)?.[1] ?? "";
    const named = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name);
    assert.deepEqual(new Set(named), new Set<string>(schemas), page);
  }
});
