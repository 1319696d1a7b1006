import assert from "node:assert/strict";
import { test } from "node:test";
import { MatrixEvent, type Room } from "matrix-js-sdk";
import { bodyOf } from "./body.ts";

const room = { getMember: () => null } as unknown as Room;

function tell(content: object, type = "m.room.message") {
  return bodyOf(room, new MatrixEvent({ type, content, sender: "@ana:x.org", event_id: "$1", room_id: "!r" }));
}

test("a text message shows its text and links", () => {
  const { body, text } = tell({ msgtype: "m.text", body: "see https://a.b" });
  assert.equal(text, "see https://a.b");
  assert.equal(body.kind === "text" && body.nodes[1]?.t, "link");
});

test("nonsense where a text or number belongs never throws", () => {
  const nonsense: unknown[] = [null, 1, true, {}, [], Number.NaN];
  for (const value of nonsense) {
    for (const msgtype of ["m.text", "m.image", "m.file", "m.video", "m.emote", value]) {
      const told = tell({ msgtype, body: value, filename: value, format: value, url: value, file: value, info: value });
      assert.equal(typeof told.text, "string");
      assert.ok(told.body.kind);
    }
    const info = { w: value, h: value, size: value, mimetype: value, thumbnail_url: value, thumbnail_file: value };
    const { body } = tell({ msgtype: "m.image", body: "a.png", url: "mxc://x/1", info });
    assert.ok(body.kind === "image" && body.width > 0 && body.height > 0);
  }
});

test("a picture that could run something is offered as a file", () => {
  const info = { mimetype: "image/svg+xml" };
  assert.equal(tell({ msgtype: "m.image", body: "a.svg", url: "mxc://x/1", info }).body.kind, "file");
});

test("a caption is what the body says beside the file name", () => {
  const { body } = tell({ msgtype: "m.file", body: "look at page 2", filename: "a.pdf", url: "mxc://x/1" });
  assert.deepEqual(body.kind === "file" && body.caption, [{ t: "text", v: "look at page 2" }]);
  assert.equal(body.kind === "file" && body.source.name, "a.pdf");
});

test("the quote that older clients repeat is left out", () => {
  assert.equal(tell({ msgtype: "m.text", body: "> <@ben:x.org> hello\n> there\n\nyes" }).text, "yes");
});

test("a few emoji alone are shown large, a number is not", () => {
  const isLarge = (words: string) => {
    const { body } = tell({ msgtype: "m.text", body: words });
    return body.kind === "text" && body.onlyEmoji === true;
  };
  assert.deepEqual(["👍🏽", "🚀 🎉", "🇨🇭", "7", "ok 👍", "🙂".repeat(7)].map(isLarge), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("a deleted message says so, whatever it said", () => {
  const event = new MatrixEvent({
    type: "m.room.message",
    content: {},
    sender: "@ana:x.org",
    event_id: "$1",
    room_id: "!r",
  });
  event.setUnsigned({ redacted_because: { sender: "@ben:x.org", content: { reason: "off topic" } } as never });
  assert.deepEqual(bodyOf(room, event).body, { kind: "redacted", by: "ben", reason: "off topic" });
});
