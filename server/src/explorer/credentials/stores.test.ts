import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createTestDatabase } from "../../../../testkit/src/server.ts";
import { openDatabase } from "../../db/database.ts";
import { realSeams } from "../../seams.ts";
import { anyConnection, conformance } from "./conformance.ts";
import { inJsonFile } from "./json-file.ts";
import { inPostgresql } from "./postgresql.ts";

const database = await createTestDatabase();
const dbs = [0, 1].map(() => openDatabase({ url: database.url, connections: 4, onError: () => {} }));
const folder = mkdtempSync(join(tmpdir(), "parley-credentials-"));
after(async () => {
  for (const db of dbs) await db.close();
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

conformance("postgresql", async () => {
  await dbs[0]?.console.change("delete from console.explorer_connections");
  const [store, again] = dbs.map((db) => inPostgresql(db.console));
  assert(store && again);
  return { store, again };
});

let files = 0;
const freshPath = () => join(folder, `${++files}`, "credentials.json");

conformance("json_file", async () => {
  const path = freshPath();
  return { store: inJsonFile(path, realSeams), again: inJsonFile(path, realSeams) };
});

test("the file can be read by this account alone, and nothing half written stays beside it", async () => {
  const path = freshPath();
  await inJsonFile(path, realSeams).add(anyConnection());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(path, "..")), ["credentials.json"]);
});

test("a file that is not ours is left as it is, and told without what is in it", async () => {
  for (const text of ["hunter2 is no JSON", '{"version":2,"secret":"hunter2"}', '{"version":1,"connections":[{}]}']) {
    const path = freshPath();
    const store = inJsonFile(path, realSeams);
    await store.add(anyConnection());
    writeFileSync(path, text);
    for (const attempt of [store.list("@ana:example.org"), store.add(anyConnection())])
      await assert.rejects(
        attempt,
        (thrown: Error) => /CREDENTIAL_STORAGE_PATH/.test(thrown.message) && !/hunter2/.test(thrown.message),
      );
    assert.equal(readFileSync(path, "utf8"), text);
  }
});

test("a lock that a process left which ended holds nobody up for good", async () => {
  const path = freshPath();
  const store = inJsonFile(path, realSeams);
  await store.add(anyConnection());
  writeFileSync(`${path}.lock`, "");
  const later = { ...realSeams, now_ms: () => realSeams.now_ms() + 3_600_000 };
  await inJsonFile(path, later).add(anyConnection());
  assert.equal((await store.list("@ana:example.org")).length, 2);
});

test("of several who find a lock that was left, none takes away the lock of another", async () => {
  const long_ago = new Date(realSeams.now_ms() - 3_600_000);
  for (let round = 0; round < 8; round++) {
    const path = freshPath();
    await inJsonFile(path, realSeams).add(anyConnection());
    writeFileSync(`${path}.lock`, "");
    utimesSync(`${path}.lock`, long_ago, long_ago);
    const writers = Array.from({ length: 8 }, () => inJsonFile(path, realSeams));
    await Promise.all(writers.map((store) => store.add(anyConnection())));
    assert.equal((await inJsonFile(path, realSeams).list("@ana:example.org")).length, 9, `round ${round}`);
    assert.deepEqual(readdirSync(join(path, "..")), ["credentials.json"]);
  }
});
