import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, exchange } from "../src/http.ts";
import { startParley } from "../src/parley.ts";
import { commandLine, readProcess } from "../src/processes.ts";

const fixture = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folders = (): string[] => readdirSync(tmpdir());

// A temporary folder of its own, so that nothing else on the machine comes and goes in it.
before(() => void (process.env["TMPDIR"] = mkdtempSync(join(tmpdir(), "bench-test-"))));
after(() => rmSync(tmpdir(), { recursive: true }));

test("the server that was started answers, and leaves neither a process nor a folder", async () => {
  const parley = await startParley(fixture("standin-main.ts"));
  const [pid = 0] = parley.watched.serverPids;
  const [folder = ""] = folders();
  const connection = connect(parley.origin);
  assert.equal((await exchange(connection, { method: "GET", path: "/_matrix/client/versions" })).status, 200);
  await connection.destroy();
  assert.match(commandLine(pid), /standin-main/);
  assert.ok(existsSync(join(tmpdir(), folder, "data")));
  await parley[Symbol.asyncDispose]();
  assert.equal(readProcess(pid), undefined);
  assert.deepEqual(folders(), []);
});

test("a server that does not start is told with its last words, and leaves no folder", async () => {
  await assert.rejects(startParley(fixture("failing-main.ts")), /of a newer version/);
  assert.deepEqual(folders(), []);
});
