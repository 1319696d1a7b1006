import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageItem } from "./item.ts";
import { isPrepend, lastSeenMessage, newSince } from "./reading.ts";
import type { Row } from "./rows.ts";

const row = (id: string, mine = false) =>
  ({ type: "message", key: id, continued: false, item: { id, mine } as MessageItem }) as Row;
const measure = (index: number) => ({ top: index * 100, height: 100 });

test("a message counts as seen when half of it is inside the view", () => {
  const rows = [row("$a"), row("$b"), row("$c")];
  assert.equal(lastSeenMessage(rows, measure, { top: 0, bottom: 250 }), "$c");
  assert.equal(lastSeenMessage(rows, measure, { top: 0, bottom: 249 }), "$b");
});

test("a message taller than the view counts when it fills half of the view", () => {
  assert.equal(
    lastSeenMessage([row("$a")], () => ({ top: 0, height: 5000 }), { top: 1000, bottom: 1400 }),
    "$a",
  );
});

test("a local echo is never what is read", () => {
  assert.equal(lastSeenMessage([row("$a"), row("~local")], measure, { top: 0, bottom: 200 }), "$a");
});

test("older rows before the first are a prepend; a new one at the end is not", () => {
  const rows = [row("$b"), row("$c")];
  assert.equal(isPrepend(rows, [row("$a"), ...rows]), true);
  assert.equal(isPrepend(rows, [...rows, row("$d")]), false);
  assert.equal(isPrepend([], rows), false);
});

test("new messages are those of others after the row that was last", () => {
  assert.equal(newSince([row("$a"), row("$b"), row("$c", true)], "$a"), 1);
  assert.equal(newSince([row("$a")], "gone"), 0);
});
