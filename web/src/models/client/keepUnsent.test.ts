import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStatus, MatrixEvent, SyncState } from "matrix-js-sdk";
import { isWaiting, onItsWay, refusalOf } from "./events.ts";
import { LIMITS } from "./shelf.ts";
import { accepts, close, disk, ME, refuses, tab, turns } from "./tab.testkit.ts";
import type { UnsentStore } from "./unsentStore.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Two messages that were written without a connection, in a tab that is closed. */
async function writeTwo() {
  const { rows, store } = disk();
  const first = await tab(store);
  await first.say("One.");
  await first.say("Two.");
  const written = [...rows.keys()];
  assert.equal(written.length, 2);
  close();
  return { rows, store, written };
}

test("what waits stands in its room again, and is sent by itself, in its order and as the same requests", async () => {
  const { rows, store, written } = await writeTwo();
  const second = await tab(store);
  assert.deepEqual(second.bodies(), ["One.", "Two."]);
  assert.deepEqual(second.sent, [], "not before there is a connection");
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual(second.sent, written);
  assert.equal(rows.size, 0);
});

test("a tab in which the sync runs already sends what waits at once", async () => {
  const { store, written } = await writeTwo();
  const again: UnsentStore = { ...store, all: () => turns().then(() => store.all()) };
  const second = await tab(again);
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  await turns();
  assert.deepEqual(second.sent, written);
});

test("what the server refused keeps its reason and waits for the person, who sends the same request", async () => {
  const { rows, store } = disk();
  const first = await tab(store);
  first.answers(refuses);
  await first.say("No.");
  close();
  const second = await tab(store);
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual(second.sent, []);
  const event = second.room.getEventForTxnId([...rows.keys()][0] ?? "");
  assert.ok(event);
  assert.equal(refusalOf(event), "You may not write here");
  await second.client.resendEvent(event, second.room);
  await turns();
  assert.deepEqual(second.sent, first.sent);
  assert.equal(rows.size, 0);
});

test("what is discarded stays away", async () => {
  const { rows, store, written } = await writeTwo();
  const second = await tab(store);
  const event = second.room.getEventForTxnId(written[0] ?? "");
  assert.ok(event);
  second.client.cancelPendingEvent(event);
  await turns();
  assert.deepEqual([...rows.keys()], written.slice(1));
  close();
  assert.deepEqual((await tab(store)).bodies(), ["Two."]);
});

test("what the server had already, so that only its answer was lost, stands there once", async () => {
  const { rows, store, written } = await writeTwo();
  const arrived = { type: "m.room.message", event_id: "$1", content: { msgtype: "m.text", body: "One." } };
  const second = await tab(store, { before: [{ ...arrived, unsigned: { transaction_id: written[0] } }] });
  assert.deepEqual(second.bodies(), ["Two."]);
  assert.deepEqual([...rows.keys()], written.slice(1));
  const echo = {
    ...arrived,
    event_id: "$2",
    room_id: "!r:x.org",
    sender: ME,
    unsigned: { transaction_id: written[1] },
  };
  await second.room.addLiveEvents([new MatrixEvent(echo)], { addToState: false });
  await turns();
  assert.deepEqual(second.bodies(), [], "the one that comes with the sync takes the place of the one that waits");
  assert.equal(rows.size, 0);
  assert.equal(second.room.getLiveTimeline().getEvents().length, 2);
});

test("a room that comes with the first answer of the server gets its messages then; without one they are forgotten", async () => {
  const { rows, store } = await writeTwo();
  const second = await tab(store, { joined: false });
  second.sync(SyncState.Prepared);
  await turns();
  assert.equal(rows.size, 2);
  await second.join();
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual(second.bodies(), ["One.", "Two."]);
  close();
  (await tab(store, { joined: false })).sync(SyncState.Syncing);
  await turns();
  assert.equal(rows.size, 0);
});

test("a message that has waited for more than a day in a closed tab leaves only when it is told to", async () => {
  const { rows, store, written } = await writeTwo();
  const old = rows.get(written[0] ?? "");
  assert.ok(old);
  rows.set(old.txnId, { ...old, at_ms: old.at_ms - DAY_MS - 60_000 });
  const second = await tab(store);
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual(second.sent, written.slice(1));
  const event = second.room.getEventForTxnId(old.txnId);
  assert.ok(event && !isWaiting(event));
  assert.equal(refusalOf(event), "Parley was closed before it was sent");
});

test("a change of a message is kept, and stands on it as on its way", async () => {
  const { store } = disk();
  const original = { type: "m.room.message", event_id: "$o", content: { msgtype: "m.text", body: "Hte." } };
  const first = await tab(store, { before: [original] });
  const relation = { rel_type: "m.replace", event_id: "$o" };
  const changed = { msgtype: "m.text", body: "* The.", "m.new_content": { msgtype: "m.text", body: "The." } };
  await first.client
    .sendMessage("!r:x.org", null, { ...changed, "m.relates_to": relation } as never)
    .catch(() => undefined);
  await turns();
  close();
  const second = await tab(store, { before: [original] });
  const event = second.room.findEventById("$o");
  assert.equal(event?.getContent()["body"], "The.");
  assert.equal(event && onItsWay(event).status, EventStatus.NOT_SENT);
});

test("a reaction and a deletion that wait are kept, and go as the same requests, however old they are", async () => {
  const { rows, store } = disk();
  const original = { type: "m.room.message", event_id: "$o", content: { msgtype: "m.text", body: "Hello." } };
  const first = await tab(store, { before: [original] });
  const relation = { rel_type: "m.annotation", event_id: "$o", key: "👍" };
  await first.client.sendEvent("!r:x.org", "m.reaction" as never, { "m.relates_to": relation } as never).catch(() => 0);
  await first.client.redactEvent("!r:x.org", "$o", undefined, { reason: "Wrong room." }).catch(() => 0);
  await turns();
  const written = [...rows.keys()];
  assert.equal(written.length, 2);
  for (const row of rows.values()) rows.set(row.txnId, { ...row, at_ms: row.at_ms - 2 * DAY_MS });
  close();
  const second = await tab(store, { before: [original] });
  const reactions = second.room.relations.getChildEventsForEvent("$o", "m.annotation", "m.reaction");
  assert.equal(reactions?.getSortedAnnotationsByKey()?.[0]?.[0], "👍");
  second.answers(accepts);
  second.sync(SyncState.Syncing);
  await turns();
  assert.deepEqual([second.sent, rows.size], [written, 0]);
  assert.match(second.paths.at(-1) ?? "", /\/redact\/%24o\//);
});

test("a reaction that the server refused is not kept: that is said at once", async () => {
  const { rows, store } = disk();
  const first = await tab(store);
  first.answers(refuses);
  const relation = { rel_type: "m.annotation", event_id: "$o", key: "👍" };
  await first.client.sendEvent("!r:x.org", "m.reaction" as never, { "m.relates_to": relation } as never).catch(() => 0);
  await turns();
  assert.deepEqual([first.sent.length, rows.size, first.closing.asks()], [1, 0, false]);
});

test("what is too much to be kept is in the tab alone, which asks before it is closed", async () => {
  const { rows, store } = disk();
  const first = await tab(store);
  const text = "x".repeat(LIMITS.bytes / 4);
  for (let count = 0; count < 3; count += 1) await first.say(text);
  assert.equal(first.closing.asks(), false);
  await first.say(text);
  assert.equal(rows.size, 3);
  assert.equal(first.closing.asks(), true);
  first.answers(accepts);
  window.dispatchEvent(new Event("online"));
  await turns();
  assert.equal(first.closing.asks(), false);
});

test("where nothing can be stored, messages are sent all the same, and the tab asks as long as they are not", async (t) => {
  t.mock.method(console, "warn", () => undefined);
  const first = await tab({ ...disk().store, put: () => Promise.reject(new Error("full")) });
  await first.say("One.");
  assert.equal(first.closing.asks(), true);
  first.answers(accepts);
  window.dispatchEvent(new Event("online"));
  await turns();
  assert.equal(first.closing.asks(), false);
});
