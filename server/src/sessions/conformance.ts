/** What every store of sessions has to keep, as tests through the port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionStore } from "./sessions.ts";

export interface Conformance {
  name: string;
  /** A new store: two ways to it where it is shared, and what lets time pass. */
  open(): Promise<AsyncDisposable & { ways: readonly SessionStore[]; pass(time_ms: number): Promise<void> }>;
}

const MINUTE_MS = 60_000;

/** Declares the tests. */
export function testSessionStore({ name, open }: Conformance): void {
  test(`${name}: what was set is read, by every replica, until it is deleted`, async () => {
    await using store = await open();
    const [one, other = one] = store.ways as [SessionStore, SessionStore?];
    assert.equal(await one.get("a"), undefined);
    await one.set("a", "first", { owner: "ana", ttl_ms: MINUTE_MS });
    assert.equal((await other.get("a"))?.data, "first");
    await other.set("a", "second", { owner: "ana", ttl_ms: MINUTE_MS });
    const read = await one.get("a");
    assert.equal(read?.data, "second");
    assert.ok(read.left_ms > 0 && read.left_ms <= MINUTE_MS, String(read.left_ms));
    await other.delete("a");
    await other.delete("a");
    assert.equal(await one.get("a"), undefined);
  });

  test(`${name}: a session ends when its time has passed, and no touch brings it back`, async () => {
    await using store = await open();
    const [one] = store.ways as [SessionStore];
    await one.set("a", "1", { owner: "ana", ttl_ms: MINUTE_MS });
    await one.set("b", "2", { owner: "ana", ttl_ms: MINUTE_MS });
    await store.pass(MINUTE_MS / 2);
    await one.touch("b", MINUTE_MS);
    await store.pass(MINUTE_MS * 0.75);
    assert.equal(await one.get("a"), undefined);
    assert.equal((await one.get("b"))?.data, "2");
    await one.touch("a", MINUTE_MS);
    assert.equal(await one.get("a"), undefined);
    await one.delete("b");
    await one.touch("b", MINUTE_MS);
    assert.equal(await one.get("b"), undefined);
  });

  test(`${name}: all sessions of one person end at once, and nobody else's`, async () => {
    await using store = await open();
    const [one] = store.ways as [SessionStore];
    for (const id of ["a", "b"]) await one.set(id, id, { owner: "ana", ttl_ms: MINUTE_MS });
    await one.set("c", "c", { owner: "ben", ttl_ms: MINUTE_MS });
    assert.equal(await one.deleteAll("ana"), 2);
    assert.equal(await one.deleteAll("ana"), 0);
    assert.equal(await one.get("a"), undefined);
    assert.equal((await one.get("c"))?.data, "c");
  });
}
