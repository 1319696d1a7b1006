import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { countUnsent, openUnsent, type Unsent } from "./unsentStore.ts";

const KEY = new Uint8Array(32).fill(7);
const unsent = (txnId: string): Unsent => ({
  txnId,
  roomId: "!r:x.org",
  type: "m.room.message",
  content: {},
  at_ms: 1,
});

test("what is kept comes back in its order, is counted without the key, and is nobody's with another one", async () => {
  const store = await openUnsent("ORDER", KEY);
  for (const txnId of ["b", "a", "c"]) await store.put(unsent(txnId));
  await store.put({ ...unsent("b"), failure: "refused" });
  await store.remove("a");
  store.close();
  const again = await openUnsent("ORDER", KEY);
  assert.deepEqual(
    (await again.all()).map(({ txnId, failure }) => [txnId, failure]),
    [
      ["b", "refused"],
      ["c", undefined],
    ],
  );
  again.close();
  assert.equal(await countUnsent("ORDER"), 2);
  assert.equal(await countUnsent("ANOTHER"), 0);
  const stranger = await openUnsent("ORDER", new Uint8Array(32));
  assert.deepEqual(await stranger.all(), []);
  stranger.close();
});

test("a message counts as kept when it is on the disk, and not before", async (t) => {
  const store = await openUnsent("FULL", KEY);
  const put = IDBObjectStore.prototype.put;
  // What a browser does whose disk turns out to be full when it writes.
  t.mock.method(IDBObjectStore.prototype, "put", function (this: IDBObjectStore, ...given: Parameters<typeof put>) {
    const request = put.apply(this, given);
    request.addEventListener("success", () => this.transaction.abort());
    return request;
  });
  await assert.rejects(store.put(unsent("lost")));
  assert.deepEqual(await store.all(), []);
  store.close();
});
