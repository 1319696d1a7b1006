import assert from "node:assert/strict";
import test from "node:test";
import { shownFor } from "./shown.ts";

const ids = { room_id: "!a:b", event_id: "$1" };
const ana = { ...ids, sender: "@ana:b", sender_display_name: "Ana" };

test("a notification says who wrote, where, and what", () => {
  const message = { ...ana, room_name: "tea", content: { msgtype: "m.text", body: "hello" } };
  assert.deepEqual(shownFor(message), { title: "Ana in tea", body: "hello", tag: "!a:b", path: "/c/!a%3Ab" });
});

test("what the server can not read, the page may; without it the words are left out", () => {
  const encrypted = { ...ana, type: "m.room.encrypted" };
  assert.equal(shownFor(encrypted)?.body, "New message");
  assert.equal(shownFor(encrypted, { text: "the secret" })?.body, "the secret");
  assert.equal(shownFor(ids)?.title, "New message");
});

test("what somebody looks at is not shown, nor is a number alone", () => {
  assert.equal(shownFor(ana, { seen: true }), undefined);
  assert.equal(shownFor({ unread: 0 }), undefined);
});

test("other things than text have words of their own", () => {
  assert.equal(shownFor({ ...ana, content: { msgtype: "m.image", body: "IMG_1.jpg" } })?.body, "A picture");
  assert.equal(shownFor({ ...ana, membership: "invite", content: {} })?.body, "Invites you");
  assert.equal(shownFor({ ...ids, sender: "@ana:b" })?.title, "ana");
  assert.equal(shownFor({ type: "io.parley.test" })?.title, "Parley");
});
