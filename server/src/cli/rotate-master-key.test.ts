import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { anyConnection } from "../explorer/credentials/conformance.ts";
import { inJsonFile } from "../explorer/credentials/json-file.ts";
import type { CredentialStore } from "../explorer/credentials/store.ts";
import { openPassword, sealPassword } from "../explorer/envelope.ts";
import { openExplorerKeys } from "../explorer/master-keys.ts";
import { realSeams } from "../seams.ts";
import { rotateMasterKey } from "./rotate-master-key.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-rotate-"));
after(() => rmSync(folder, { recursive: true }));

const OWNER = "@ana:example.org";
const PASSWORD = "a password that stays";
let count = 0;

/** A ring in a file, a store, and a process that uses both. */
async function begin(rows: number) {
  const place = join(folder, `${++count}`);
  const file = `${place}-keys`;
  writeFileSync(file, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  const store = inJsonFile(`${place}.json`, realSeams);
  const masterKeys = await openExplorerKeys({
    config: { explorer: { masterKey: `file://${file}` }, secrets: {}, databaseUrl: "x" } as never,
    dataDir: folder,
    seams: realSeams,
    logger: { warn: () => {} },
  });
  let saved = 0;
  const save = async () => {
    const connection = anyConnection({ owner: OWNER });
    await store.add({ ...connection, ...sealPassword(connection, PASSWORD, { masterKeys, seams: realSeams }) });
    saved += 1;
  };
  for (let i = 0; i < rows; i++) await save();
  const openAll = async () => {
    const list = await store.list(OWNER);
    assert.equal(list.length, saved, "each that was saved is there");
    for (const each of list) assert.equal(openPassword(each, masterKeys), PASSWORD);
  };
  const lines = () => readFileSync(file, "utf8").trim().split("\n");
  return { file, store, save, openAll, lines };
}

const rotation = (file: string, store: CredentialStore) => ({
  file,
  store,
  // What becomes of these is looked at in auth/factors/second-factor.test.ts.
  secrets: { query: async () => [], change: async () => 0 },
  wait_ms: 0,
  settle_ms: 0,
  seams: realSeams,
  say: () => {},
});

test("a rotation leaves one new key, with which everything is wrapped", async () => {
  const { file, store, openAll, lines } = await begin(5);
  const [before] = lines();
  await rotateMasterKey(rotation(file, store));
  assert.equal(lines().length, 1);
  assert.notEqual(lines()[0], before);
  assert.equal((await store.byMasterKey()).size, 1);
  await openAll();
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("while it goes on, every password opens and new ones are saved", async () => {
  const { file, store, save, openAll, lines } = await begin(20);
  const state = { isOver: false };
  const using = (async () => {
    while (!state.isOver) {
      await openAll();
      if ((await store.list(OWNER)).length < 45) await save();
    }
  })();
  for (let i = 0; i < 3; i++) await rotateMasterKey(rotation(file, store));
  state.isOver = true;
  await using;
  await openAll();
  assert.equal(lines().length, 1);
});

test("cut short at any step, nothing is lost and the next rotation goes on", async () => {
  for (const step of ["published", "changed", "wrapped", "retired"]) {
    const { file, store, openAll, lines } = await begin(3);
    const cut = rotateMasterKey({
      ...rotation(file, store),
      say(text) {
        if (text.startsWith(step)) throw new Error("cut short");
      },
    });
    await assert.rejects(cut, /cut short/);
    await openAll();
    await rotateMasterKey(rotation(file, store));
    await openAll();
    assert.equal(lines().length, 1, step);
  }
});

test("cut short between two rows, the rest is found", async () => {
  const { file, store, openAll } = await begin(4);
  let left = 2;
  const failing: CredentialStore = {
    ...store,
    rewrap: async (change) => (left-- > 0 ? store.rewrap(change) : assert.fail("cut short")),
  };
  await assert.rejects(rotateMasterKey(rotation(file, failing)), /cut short/);
  assert.equal((await store.byMasterKey()).size, 2);
  await openAll();
  await rotateMasterKey(rotation(file, store));
  assert.equal((await store.byMasterKey()).size, 1);
  await openAll();
});

test("a row that no key opens keeps every key where it is", async () => {
  const { file, store, lines } = await begin(2);
  const stranger = await begin(1);
  const [lost] = await stranger.store.list(OWNER);
  assert(lost);
  await store.add(lost);
  await assert.rejects(rotateMasterKey(rotation(file, store)), /does not have. Put that key back/);
  assert.equal(lines().length, 2, "nothing was retired");
});
