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

test("a file comes back with its name, its kind and its bytes, and lies sealed with them", async () => {
  const store = await openUnsent("FILE", KEY);
  const bytes = new Uint8Array([...new TextEncoder().encode("line\nline\n"), 0, 255]);
  const file = new File([bytes], "plan.txt", { type: "text/plain" });
  await store.put({ ...unsent("f"), upload: { file, caption: "The\nplan", rootId: "$root" } });
  await store.put(unsent("t"));
  const [kept, text] = await store.all();
  store.close();
  assert.equal(text?.upload, undefined);
  const { file: same, ...rest } = kept?.upload ?? {};
  assert.deepEqual(
    [rest, same?.name, same?.type],
    [{ caption: "The\nplan", rootId: "$root" }, "plan.txt", "text/plain"],
  );
  assert.deepEqual(new Uint8Array((await same?.arrayBuffer()) ?? []), bytes);
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("parley-unsent-FILE");
    request.addEventListener("success", () => resolve(request.result));
  });
  const rows = await new Promise<{ data: ArrayBuffer }[]>((resolve) => {
    const request = database.transaction("unsent").objectStore("unsent").getAll();
    request.addEventListener("success", () => resolve(request.result as { data: ArrayBuffer }[]));
  });
  database.close();
  assert.equal(rows.length, 2);
  for (const { data } of rows) assert.doesNotMatch(Buffer.from(data).toString("latin1"), /plan|line|room/);
});
