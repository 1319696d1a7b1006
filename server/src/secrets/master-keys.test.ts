/** G9: the master keys change while processes talk; and what a copy of the database is worth without them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { openKeyRing } from "../bus/key-ring.ts";
import { open, seal } from "../bus/seal.ts";
import { rotateBus } from "../cli/rotate-bus.ts";
import { readConfig } from "../config.ts";
import { type Db, openDatabase } from "../db/database.ts";
import { StartError } from "../errors.ts";
import { realSeams, type Seams } from "../seams.ts";
import { isWrapped, masterKeysOf, openMasterKeys, parseMasterKeys, wrappedWith } from "./master-keys.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-master-keys-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const logger = { warn: () => {} };
const seams: Seams = { ...realSeams, every: (_every_ms, action) => realSeams.every(10, action) };
const newKey = () => realSeams.randomBytes(32).toString("base64");
const [first, second] = [newKey(), newKey()];

const { secrets: config } = readConfig({
  SECRETS_PROVIDER: "files",
  SECRETS_DIR: folder,
  AUTH_KEY_STORAGE_BACKEND: "secret-manager",
});
const put = (...keys: string[]) => writeFileSync(join(folder, "parley-master-keys"), keys.join("\n"));

async function withDb(run: (db: Db, url: string) => Promise<void>): Promise<void> {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 2, onError: () => {} });
  try {
    await run(db.log, database.url);
  } finally {
    await db.close();
  }
}

async function kept(db: Db): Promise<Buffer[]> {
  const row = await db.one<Record<string, Buffer | null>>(
    "select bus_key, bus_key_next, bus_key_before from log.installation",
  );
  return Object.values(row ?? {}).filter((each) => each !== null);
}

test("keys of an installation are wrapped where they are found, change their wrapping with the master keys, and stay what they are", async () => {
  put(first);
  await withDb(async (db, url) => {
    const [plain] = await kept(db);
    const masterKeys = await openMasterKeys({ config, seams, logger });
    assert.ok(plain && masterKeys);
    const ring = await openKeyRing({ db, seams, logger, masterKeys });
    assert.deepEqual(ring.sealing(), plain);
    const [wrapped] = (await kept(db)) as [Buffer];
    assert.ok(isWrapped(wrapped) && !wrapped.includes(plain));

    // Published: everybody opens what the second wraps. Changed: it wraps, and what there is is wrapped again.
    put(first, second);
    await rotateBus({ address: url, seams, masterKeys, say: () => {}, wait_ms: 60 });
    assert.notDeepEqual(ring.sealing(), plain);
    put(second, first);
    while (!(await kept(db)).every((each) => masterKeys.isCurrent(each) && wrappedWith(each) !== wrappedWith(wrapped)))
      await new Promise((resolve) => setTimeout(resolve, 10));
    // Retired: the first opens nothing that is there.
    put(second);
    const later = await openMasterKeys({ config, seams, logger });
    const other = await openKeyRing({ db, seams, logger, masterKeys: later });
    assert.equal(open(seal("text", ring.sealing(), seams), other.sealing()), "text");
    for (const each of [ring, other, masterKeys, later]) each?.close();
  });
});

test("without the master key a copy of the database opens nothing, and the start says what to set", async () => {
  put(first);
  await withDb(async (db) => {
    const masterKeys = await openMasterKeys({ config, seams, logger });
    (await openKeyRing({ db, seams, logger, masterKeys })).close();
    await assert.rejects(openKeyRing({ db, seams, logger }), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, /set AUTH_KEY_STORAGE_BACKEND to secret-manager/);
      return true;
    });
    put(second);
    const wrong = await openMasterKeys({ config, seams, logger });
    await assert.rejects(openKeyRing({ db, seams, logger, masterKeys: wrong }), /does not have: put it back/);
    for (const each of [masterKeys, wrong]) each?.close();
  });
});

test("a wrapped key opens for its purpose only, and not when a bit of it was changed", () => {
  const keys = masterKeysOf(() => parseMasterKeys(first), realSeams);
  const key = Buffer.alloc(32, 7);
  const wrapped = keys.wrap(key, "bus");
  assert.deepEqual(keys.unwrap(wrapped, "bus"), key);
  assert.throws(() => keys.unwrap(wrapped, "sign"), /was changed/);
  for (let at = 11; at < wrapped.length; at++) {
    const changed = Buffer.from(wrapped);
    changed[at] = (changed[at] as number) ^ 1;
    assert.throws(() => keys.unwrap(changed, "bus"), StartError);
  }
});

test("a secret that is no list of keys stops the start, and later is not taken", async () => {
  for (const wrong of ["", "short", "hunter2 hunter2", `${first}\nshort`])
    assert.throws(
      () => parseMasterKeys(wrong),
      (error) => error instanceof StartError && !error.message.includes("hunter2"),
    );
  assert.deepEqual(
    parseMasterKeys(Buffer.from(first, "base64").toString("hex")).map(({ name }) => name),
    parseMasterKeys(first).map(({ name }) => name),
  );
  put("short");
  await assert.rejects(openMasterKeys({ config, seams, logger }), /openssl rand/);
});
