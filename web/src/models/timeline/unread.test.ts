import assert from "node:assert/strict";
import { test } from "node:test";
import { type Readable, unreadAtOpen } from "./unread.ts";

const theirs = (id: string): Readable => ({ id, isMessage: true, mine: false });
const mine = (id: string): Readable => ({ id, isMessage: true, mine: true });
const change = (id: string): Readable => ({ id, isMessage: false, mine: false });

test("the line stands before the first message of somebody else after what was read", () => {
  const events = [theirs("a"), change("b"), mine("c"), theirs("d"), theirs("e")];
  assert.deepEqual(unreadAtOpen(events, "a", "e"), { from: "d", count: 2 });
});

test("what comes after the room was opened draws no line", () => {
  assert.equal(unreadAtOpen([theirs("a"), theirs("b")], "a", "a"), null);
});

test("there is no line when only one's own messages or changes of the room follow", () => {
  assert.equal(unreadAtOpen([theirs("a"), mine("b"), change("c")], "a", "c"), null);
});

test("nothing is said while the read message is not loaded", () => {
  assert.equal(unreadAtOpen([theirs("b")], "a", "b"), null);
});
