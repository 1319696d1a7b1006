import assert from "node:assert/strict";
import { test } from "node:test";
import { aliasFor } from "./alias.ts";
import { attention, neighbour, type RoomEntry, sections } from "./entry.ts";
import { destinations } from "./jump.ts";

function room(id: string, more: Partial<RoomEntry> = {}): RoomEntry {
  const base = { name: id, kind: "private", membership: "join", unread: false, count: 0, lastActive_ms: 0 } as const;
  return { ...base, id, draft: false, muted: false, ...more };
}

test("channels stand by name with numbers in order, people by their last message", () => {
  const rooms = [
    room("team-10"),
    room("team-2"),
    room("ana", { kind: "direct", lastActive_ms: 1 }),
    room("kenji", { kind: "direct", lastActive_ms: 2 }),
  ];
  const shown = sections(rooms).map((section) => [section.id, section.rooms.map((entry) => entry.id)]);
  assert.deepEqual(shown, [
    ["channels", ["team-2", "team-10"]],
    ["direct", ["kenji", "ana"]],
  ]);
});

test("an invite stands in its own section and nowhere else", () => {
  const shown = sections([room("new", { membership: "invite" })]);
  assert.deepEqual(
    shown.map((section) => section.id),
    ["invites"],
  );
});

test("Alt+arrows go round, and with Shift only to what is unread", () => {
  const rooms = [room("a"), room("b", { unread: true }), room("c")];
  assert.equal(neighbour(rooms, "c", { by: 1, unreadOnly: false }), "a");
  assert.equal(neighbour(rooms, "c", { by: 1, unreadOnly: true }), "b");
  assert.equal(neighbour([], null, { by: 1, unreadOnly: false }), null);
});

test("a muted room asks for no attention", () => {
  assert.deepEqual(attention([room("a", { unread: true, muted: true, count: 3 })]), { unread: 0, mentions: 0 });
});

test("the switcher shows unread rooms first, and ranks the beginning of a name before letters inside", () => {
  const rooms = [room("design", { lastActive_ms: 9 }), room("platform", { unread: true }), room("redesign")];
  assert.deepEqual(
    destinations(rooms, [], "").map((found) => found.id),
    ["platform", "design", "redesign"],
  );
  assert.deepEqual(
    destinations(rooms, [], "des").map((found) => found.id),
    ["design", "redesign"],
  );
  assert.deepEqual(
    destinations(rooms, [{ id: "settings", name: "Settings" }], ">set").map((found) => found.id),
    ["settings"],
  );
});

test("an address is made of a name without signs or accents", () => {
  assert.equal(aliasFor("Émigré Café, Nr. 2!"), "emigre-cafe-nr.-2");
});
