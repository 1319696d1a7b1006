import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncState } from "matrix-js-sdk";
import { LIMITS } from "./shelf.ts";
import { accepts, close, disk, refuses, type Tab, tab, turns } from "./tab.testkit.ts";

const named = (...names: string[]) => names.map((name) => new File([`bytes of ${name}`], name, { type: "text/plain" }));
const plain = { rootId: undefined, caption: undefined };

async function attach({ uploads }: Tab, files: File[]): Promise<void> {
  uploads.add(files, plain);
  for (const _each of files) await turns();
}

const shown = ({ uploads }: Tab) => uploads.of(undefined).map(({ name, phase }) => [name, phase]);

async function comeOnline(to: Tab): Promise<void> {
  to.answers(accepts);
  window.dispatchEvent(new Event("online"));
  for (let patience = 0; patience < 10; patience += 1) await turns();
}

/** Texts and files by turns, written without a connection, in a tab that is closed. */
async function writeMixed() {
  const { rows, store } = disk();
  const first = await tab(store);
  await first.say("One.");
  await attach(first, named("a", "b"));
  await first.say("Two.");
  assert.equal(rows.size, 4);
  return { rows, store, first };
}

test("files are sent in the order in which they were chosen, also where a later one is there sooner", async () => {
  const here = await tab(disk().store);
  let uploads = 0;
  here.answers(async (txnId) => {
    if (txnId === "upload" && ++uploads === 1) await turns();
    return accepts(txnId);
  });
  here.uploads.add(named("slow", "quick"), plain);
  here.uploads.add(named("last"), plain);
  assert.deepEqual(
    shown(here).map(([name]) => name),
    ["slow", "quick", "last"],
  );
  for (let patience = 0; patience < 10; patience += 1) await turns();
  assert.deepEqual(here.taken, ["slow", "quick", "last"]);
  assert.deepEqual(shown(here), []);
  assert.equal(here.closing.asks(), false);
});

test("a file that is refused or given up does not hold up those behind it", async () => {
  const here = await tab(disk().store);
  let uploads = 0;
  here.answers((txnId) => (txnId === "upload" && ++uploads === 1 ? { status: 413, body: {} } : accepts(txnId)));
  here.uploads.add(named("refused", "given up", "last"), plain);
  here.uploads.cancel(here.uploads.of(undefined)[1]?.key ?? "");
  for (let patience = 0; patience < 10; patience += 1) await turns();
  assert.deepEqual(here.taken, ["last"]);
  assert.deepEqual(shown(here), [["refused", "failed"]]);
  assert.equal(here.uploads.of(undefined)[0]?.failure, "the file is too large for this server");
});

test("what is written without a connection is sent by itself when it is back, texts and files in one order", async () => {
  const { rows, first } = await writeMixed();
  assert.deepEqual(shown(first), [
    ["a", "waiting"],
    ["b", "waiting"],
  ]);
  assert.equal(first.closing.asks(), false, "it is kept");
  await comeOnline(first);
  assert.deepEqual(first.taken, ["One.", "a", "b", "Two."]);
  assert.deepEqual([shown(first), rows.size], [[], 0]);
  const standing = first.sorted(first.room.getLiveTimeline().getEvents());
  assert.deepEqual(
    standing.map((event) => event.getContent<{ body: string }>().body),
    first.taken,
  );
});

test("what fails for want of a connection holds up what was written after it in the room", async () => {
  const { first } = await writeMixed();
  let requests = 0;
  first.answers((txnId) => (++requests === 2 ? null : accepts(txnId)));
  window.dispatchEvent(new Event("online"));
  for (let patience = 0; patience < 10; patience += 1) await turns();
  assert.deepEqual(first.taken, ["One."]);
  await comeOnline(first);
  assert.deepEqual(first.taken, ["One.", "a", "b", "Two."]);
});

test("files survive a closed tab with the texts, and are sent by themselves in the same order and as the same requests", async () => {
  const { rows, store } = await writeMixed();
  const written = [...rows.keys()];
  close();
  const second = await tab(store);
  assert.deepEqual(
    [second.bodies(), shown(second).map(([name]) => name), second.sent],
    [["One.", "Two."], ["a", "b"], []],
  );
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  for (let patience = 0; patience < 10; patience += 1) await turns();
  assert.deepEqual(second.taken, ["One.", "a", "b", "Two."]);
  assert.deepEqual(
    second.sent.filter((txnId) => txnId !== "upload"),
    written,
  );
  assert.equal(rows.size, 0);
});

test("a file that the server refused keeps its reason over a reload and waits for the person", async () => {
  const { rows, store } = disk();
  const first = await tab(store);
  first.answers(refuses);
  await attach(first, named("a"));
  close();
  const second = await tab(store);
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual([shown(second), second.sent], [[["a", "failed"]], []]);
  const [refused] = second.uploads.of(undefined);
  assert.equal(refused?.failure, "You may not write here");
  second.uploads.retry(refused?.key ?? "");
  await turns();
  await turns();
  assert.deepEqual([second.taken, rows.size], [["a"], 0]);
});

test("a file that is uploaded and whose message is not sent is not uploaded again after a reload", async () => {
  const { rows, store } = disk();
  const first = await tab(store);
  first.answers((txnId) => (txnId === "upload" ? accepts(txnId) : null));
  await attach(first, named("a"));
  assert.deepEqual([shown(first), first.bodies()], [[], ["a"]]);
  assert.deepEqual(
    [...rows.values()].map(({ upload, content }) => [upload, content["url"]]),
    [[undefined, "mxc://x.org/1"]],
  );
  const [, txnId] = first.sent;
  close();
  const second = await tab(store);
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual([second.sent, second.taken, rows.size], [[txnId], ["a"], 0]);
});

test("a file that was given up stays away", async () => {
  const { rows, store } = disk();
  const first = await tab(store);
  await attach(first, named("a", "b"));
  first.uploads.cancel(first.uploads.of(undefined)[0]?.key ?? "");
  await turns();
  assert.equal(rows.size, 1);
  close();
  assert.deepEqual(
    shown(await tab(store)).map(([name]) => name),
    ["b"],
  );
});

test("files beyond the bound are in the tab alone, which says so, asks before it is closed, and sends them all the same", async () => {
  const { rows, store } = disk();
  const here = await tab(store);
  const large = new File([new Uint8Array(LIMITS.file_bytes)], "large", { type: "text/plain" });
  await attach(here, [...named("small"), large]);
  assert.deepEqual(
    here.uploads.of(undefined).map(({ name, inTabOnly }) => [name, inTabOnly]),
    [
      ["small", false],
      ["large", true],
    ],
  );
  assert.deepEqual([rows.size, here.closing.asks()], [1, true]);
  await comeOnline(here);
  assert.deepEqual([here.taken, here.closing.asks()], [["small", "large"], false]);
});

test("a file for which the disk has no place is in the tab alone, which says so", async (t) => {
  t.mock.method(console, "warn", () => undefined);
  const here = await tab({ ...disk().store, put: () => Promise.reject(new Error("full")) });
  await attach(here, named("a"));
  assert.deepEqual([here.uploads.of(undefined)[0]?.inTabOnly, here.closing.asks()], [true, true]);
  await comeOnline(here);
  assert.deepEqual([here.taken, here.closing.asks()], [["a"], false]);
});
