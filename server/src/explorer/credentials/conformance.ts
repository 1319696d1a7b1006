/** What every store of saved connections does. Run with each adapter; the test of each calls it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MatrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { randomToken, realSeams } from "../../seams.ts";
import type { CredentialStore, SavedConnection } from "./store.ts";

export interface StoreUnderTest {
  store: CredentialStore;
  /** The same rows through another process. */
  again: CredentialStore;
}

export function anyConnection(over: Partial<SavedConnection> = {}): SavedConnection {
  return {
    id: randomToken(realSeams, 12),
    owner: "@ana:example.org",
    name: "graphs",
    host: "db.example.org",
    port: 5432,
    database: "graphs",
    user: "reader",
    tls: "verify-full",
    ca: null,
    version: 1,
    created_ts: 1_700_000_000_000,
    wrappedKey: realSeams.randomBytes(75),
    masterKey: "0011223344556677",
    sealed: realSeams.randomBytes(40),
    ...over,
  };
}

type Open = () => Promise<StoreUnderTest>;

export function conformance(name: string, open: Open): void {
  keepsRows(name, open);
  keepsOrder(name, open);
  takesRotations(name, open);
}

function keepsRows(name: string, open: Open): void {
  test(`${name}: what was saved is there as it was, for its owner alone, through any process`, async () => {
    const { store, again } = await open();
    const mine = anyConnection({ ca: "-----BEGIN CERTIFICATE-----", name: 'a "quoted" ñame' });
    const second = anyConnection({ name: "another" });
    await store.add(mine);
    await again.add(second);
    assert.deepEqual(await again.get(mine.owner, mine.id), mine);
    assert.deepEqual(await store.list(mine.owner), [mine, second]);
    assert.equal(await store.get("@ben:example.org", mine.id), undefined);
    assert.deepEqual(await store.list("@ben:example.org"), []);
    assert.equal(await store.remove("@ben:example.org", mine.id), false);
    assert.equal(await store.replace({ ...mine, owner: "@ben:example.org", version: 2 }), false);
    assert.deepEqual(await store.get(mine.owner, mine.id), mine);
  });
}

function keepsOrder(name: string, open: Open): void {
  test(`${name}: of two who change one version, one does`, async () => {
    const { store, again } = await open();
    const first = anyConnection();
    await store.add(first);
    const changes = [store, again].map((each, i) => each.replace({ ...first, name: `changed ${i}`, version: 2 }));
    assert.deepEqual((await Promise.all(changes)).filter(Boolean), [true]);
    assert.equal(await store.replace({ ...first, version: 2 }), false);
    assert.equal((await store.get(first.owner, first.id))?.version, 2);
  });

  test(`${name}: what was removed is gone`, async () => {
    const { store, again } = await open();
    const mine = anyConnection();
    await store.add(mine);
    assert.equal(await again.remove(mine.owner, mine.id), true);
    assert.equal(await store.remove(mine.owner, mine.id), false);
    assert.equal(await store.get(mine.owner, mine.id), undefined);
  });

  test(`${name}: many who write at once lose nothing`, async () => {
    const { store, again } = await open();
    const all = Array.from({ length: 20 }, (_, i) => anyConnection({ name: `${i}` }));
    await Promise.all(all.map((each, i) => (i % 2 ? store : again).add(each)));
    assert.equal((await store.list("@ana:example.org")).length, 20);
  });

  test(`${name}: nobody has more than the limit`, async () => {
    const { store } = await open();
    for (let i = 0; i < limits.explorerConnections; i++) await store.add(anyConnection());
    await assert.rejects(
      store.add(anyConnection()),
      (thrown) => thrown instanceof MatrixError && thrown.errcode === "M_RESOURCE_LIMIT_EXCEEDED",
    );
    await store.add(anyConnection({ owner: "@ben:example.org" }));
  });
}

function takesRotations(name: string, open: Open): void {
  test(`${name}: a rotation finds what is wrapped otherwise, and changes it where nobody was faster`, async () => {
    const { store, again } = await open();
    const rows = ["old", "old", "new"].map((masterKey) => anyConnection({ masterKey }));
    for (const each of rows) await store.add(each);
    assert.equal((await store.wrappedOtherwise("new", 1)).length, 1);
    assert.equal((await store.wrappedOtherwise("new", 9)).length, 2);
    const [row] = rows as [SavedConnection];
    const to = realSeams.randomBytes(75);
    const change = { id: row.id, from: row.wrappedKey, to, masterKey: "new" };
    assert.equal(await again.rewrap({ ...change, from: realSeams.randomBytes(75) }), false);
    assert.equal(await again.rewrap(change), true);
    assert.equal(await again.rewrap(change), false);
    assert.deepEqual(await store.get(row.owner, row.id), { ...row, wrappedKey: to, masterKey: "new" });
    assert.deepEqual(
      new Map(await store.byMasterKey()),
      new Map([
        ["new", 2],
        ["old", 1],
      ]),
    );
  });
}
