import assert from "node:assert/strict";
import { test } from "node:test";
import { messageContent } from "./content.ts";
import { EMPTY_DRAFT } from "./draft.ts";

const ANA = { id: "@ana:x.org", name: "Ana" };

test("plain text goes without HTML, also when it has lines and addresses", () => {
  const content = messageContent({ ...EMPTY_DRAFT, text: "one\ntwo https://a.b/c." });
  assert.deepEqual(content, { msgtype: "m.text", body: "one\ntwo https://a.b/c.", "m.mentions": {} });
});

test("paragraphs alone need no HTML, marks do", () => {
  assert.equal(messageContent({ ...EMPTY_DRAFT, text: "one\n\ntwo" }).formatted_body, undefined);
  assert.equal(messageContent({ ...EMPTY_DRAFT, text: "**one**" }).formatted_body, "<strong>one</strong>");
  assert.equal(messageContent({ ...EMPTY_DRAFT, text: "one\n\n- two" }).format, "org.matrix.custom.html");
});

test("a chosen mention names the user in m.mentions; an unchosen name does not", () => {
  const content = messageContent({ text: "hi @Ana", mentions: [ANA] });
  assert.deepEqual(content["m.mentions"], { user_ids: ["@ana:x.org"] });
  assert.deepEqual(messageContent({ text: "hi @Ana", mentions: [] })["m.mentions"], {});
});

test("a reply relates to its message and names its sender", () => {
  const replyTo = { id: "$1", sender: ANA, text: "" };
  const content = messageContent({ ...EMPTY_DRAFT, text: "yes", replyTo }, { replySender: ANA.id });
  assert.deepEqual(content["m.relates_to"], { "m.in_reply_to": { event_id: "$1" } });
  assert.deepEqual(content["m.mentions"], { user_ids: ["@ana:x.org"] });
});

test("an edit replaces the event, keeps all names in the new content and notifies only new ones", () => {
  const draft = { text: "@Ana and @Bo", mentions: [ANA, { id: "@bo:x.org", name: "Bo" }], editing: { id: "$1" } };
  const content = messageContent(draft, { before: ["@ana:x.org"] });
  assert.deepEqual(content["m.relates_to"], { rel_type: "m.replace", event_id: "$1" });
  assert.deepEqual(content["m.mentions"], { user_ids: ["@bo:x.org"] });
  assert.deepEqual(content["m.new_content"]?.["m.mentions"], { user_ids: ["@ana:x.org", "@bo:x.org"] });
  assert.equal(content.body, "* @Ana and @Bo");
});

test("/me tells of oneself", () => {
  assert.deepEqual(messageContent({ ...EMPTY_DRAFT, text: "/me waves" }), {
    msgtype: "m.emote",
    body: "waves",
    "m.mentions": {},
  });
});

test("@room names everyone", () => {
  assert.deepEqual(messageContent({ ...EMPTY_DRAFT, text: "@room look" })["m.mentions"], { room: true });
});
