import assert from "node:assert/strict";
import { test } from "node:test";
import { missingPackages } from "./dependencies.mjs";

const pg = { version: "8.0.0", integrity: "sha512-a" };
const mine = { optional: true, os: [process.platform], cpu: [process.arch] };

test("what is installed as the lock file says is not missing", () => {
  assert.deepEqual(missingPackages({ "node_modules/pg": pg }, { "node_modules/pg": pg }), []);
});

test("a package that is not there, of another version or of another content is missing", () => {
  const wanted = { "node_modules/pg": pg };
  assert.deepEqual(missingPackages(wanted, {}), ["node_modules/pg"]);
  assert.deepEqual(missingPackages(wanted, { "node_modules/pg": { ...pg, version: "8.0.1" } }), ["node_modules/pg"]);
  assert.deepEqual(missingPackages(wanted, { "node_modules/pg": { ...pg, integrity: "sha512-b" } }), [
    "node_modules/pg",
  ]);
});

test("the binaries of this platform are wanted, those of others are not", () => {
  assert.deepEqual(missingPackages({ "node_modules/b": { ...pg, ...mine } }, {}), ["node_modules/b"]);
  assert.deepEqual(missingPackages({ "node_modules/b": { ...pg, ...mine, os: ["plan9"] } }, {}), []);
});

test("workspaces and links to them are no packages", () => {
  assert.deepEqual(missingPackages({ "": {}, server: {}, "node_modules/@parley/server": { link: true } }, {}), []);
});
