import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageItem, SystemItem, UploadItem } from "./item.ts";
import { reuseRows, toRows, withUploads } from "./rows.ts";

const NOON = new Date(2026, 4, 4, 12).getTime();
const MINUTE_MS = 60_000;

function message(id: string, sender: string, more: Partial<MessageItem> = {}): MessageItem {
  return {
    type: "message",
    key: id,
    id,
    sender: { id: sender, name: sender },
    at_ms: NOON,
    body: { kind: "text", nodes: [{ t: "text", v: id }] },
    text: id,
    edited: false,
    mine: sender === "me",
    mentionsMe: false,
    reactions: [],
    status: "sent",
    seenBy: [],
    can: { edit: false, redact: false, reply: true, react: true },
    ...more,
  };
}

function named(id: string): SystemItem {
  return { type: "system", key: id, id, at_ms: NOON, text: "Ana named the channel x" };
}

function joined(id: string, name: string): SystemItem {
  return { type: "system", key: id, id, at_ms: NOON, text: `${name} joined`, member: { action: "joined", name } };
}

const shape = (rows: ReturnType<typeof toRows>) =>
  rows.map((row) => (row.type === "message" ? `${row.key}${row.continued ? "+" : ""}` : row.type));

test("messages of one author within five minutes are one run, and the sixth minute begins another", () => {
  const items = [
    message("a", "ana"),
    message("b", "ana", { at_ms: NOON + 5 * MINUTE_MS }),
    message("c", "ana", { at_ms: NOON + 11 * MINUTE_MS }),
    message("d", "kenji", { at_ms: NOON + 11 * MINUTE_MS }),
  ];
  assert.deepEqual(shape(toRows(items, { newFrom: null, atStart: false })), ["day", "a", "b+", "c", "d"]);
});

test("a reply is never drawn as the continuation of a run", () => {
  const items = [message("a", "ana"), message("b", "ana", { replyTo: { id: "x", sender: null, text: "" } })];
  assert.deepEqual(shape(toRows(items, { newFrom: null, atStart: false })), ["day", "a", "b"]);
});

test("a separator stands where the day changes and ends a run", () => {
  const midnight = new Date(2026, 4, 5).getTime();
  const items = [message("a", "ana", { at_ms: midnight - 1000 }), message("b", "ana", { at_ms: midnight + 1000 })];
  assert.deepEqual(shape(toRows(items, { newFrom: null, atStart: false })), ["day", "a", "day", "b"]);
});

test("the New line stands before the message that it is for, and nowhere when that is not there", () => {
  const items = [message("a", "ana"), message("b", "kenji"), message("c", "me")];
  assert.deepEqual(shape(toRows(items, { newFrom: "b", atStart: true })), ["start", "day", "a", "new", "b", "c"]);
  assert.deepEqual(shape(toRows(items, { newFrom: "unknown", atStart: false })), ["day", "a", "b", "c"]);
});

test("joins in a row become one sentence", () => {
  const rows = toRows([joined("1", "Ana"), joined("2", "Kenji"), joined("3", "Priya"), joined("4", "Tom")], {
    newFrom: null,
    atStart: false,
  });
  assert.deepEqual(shape(rows), ["day", "system"]);
  assert.equal(rows[1]?.type === "system" && rows[1].text, "Ana, Kenji, Priya and 1 other joined");
});

test("changes of different kinds are told in the order in which they began", () => {
  const rows = toRows([named("1"), joined("2", "Ana"), joined("3", "Kenji")], { newFrom: null, atStart: false });
  assert.equal(rows[1]?.type === "system" && rows[1].text, "Ana named the channel x; Ana and Kenji joined");
});

test("a row that has not changed stays the same object, and only that", () => {
  const [a, b] = [message("a", "ana"), message("b", "kenji")];
  const before = toRows([a, b], { newFrom: null, atStart: false });
  const changed = { ...b, edited: true };
  const after = reuseRows(before, toRows([a, changed], { newFrom: null, atStart: false }));
  assert.equal(after[1], before[1]);
  assert.notEqual(after[2], before[2]);
});

test("a file on its way stands before what was written after it and waits too, and behind all that has arrived", () => {
  const waiting = (id: string, at_ms: number) => message(`~${id}`, "me", { at_ms, status: "waiting" });
  const file: UploadItem = {
    type: "upload",
    key: "file",
    at_ms: NOON + 2,
    sender: { id: "me", name: "me" },
    name: "plan.txt",
    size_bytes: 1,
    sent_bytes: 0,
    encrypted: true,
    phase: "waiting",
    inTabOnly: false,
  };
  const items = [
    message("theirs", "ana", { at_ms: NOON + 9 }),
    waiting("before", NOON + 1),
    waiting("after", NOON + 3),
  ];
  const keys = (all: ReturnType<typeof withUploads>) => all.map(({ key }) => key);
  assert.deepEqual(keys(withUploads(items, [file])), ["theirs", "~before", "file", "~after"]);
  assert.deepEqual(keys(withUploads(items.slice(0, 1), [file])), ["theirs", "file"]);
});
