import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFleet } from "../src/fleet.ts";
import { connect, exchange } from "../src/http.ts";
import { readProcess } from "../src/processes.ts";

const fixture = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

// A temporary folder of its own, so that nothing else on the machine comes and goes in it.
before(() => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-test-"));
  chmodSync(folder, 0o711);
  process.env["TMPDIR"] = folder;
});
after(() => rmSync(tmpdir(), { recursive: true }));

async function answers(origin: string): Promise<boolean> {
  const connection = connect(origin);
  const answer = await exchange(connection, { method: "GET", path: "/_matrix/client/versions" }).catch(() => undefined);
  await connection.destroy();
  return answer?.status === 200;
}

test("a killed process of a fleet is gone, comes back at its address, and nothing is left in the end", async () => {
  const fleet = await startFleet(2, { entry: fixture("standin-main.ts") });
  const [first = "", second = ""] = fleet.origins;
  const pids = [...fleet.watched.serverPids, ...fleet.watched.postgresPids];
  assert.deepEqual(await Promise.all([first, second].map(answers)), [true, true]);
  await fleet.kill(0);
  assert.deepEqual(await Promise.all([first, second].map(answers)), [false, true]);
  await fleet.start(0);
  assert.equal(await answers(first), true);
  await fleet[Symbol.asyncDispose]();
  assert.deepEqual(await Promise.all([first, second].map(answers)), [false, false]);
  assert.deepEqual(
    pids.filter((pid) => readProcess(pid) !== undefined),
    [],
  );
  assert.deepEqual(readdirSync(tmpdir()), []);
});

test("a fleet that does not start is told with a server's last words", async () => {
  await assert.rejects(startFleet(1, { entry: fixture("failing-main.ts") }), /of a newer version/);
  assert.deepEqual(readdirSync(tmpdir()), []);
});
