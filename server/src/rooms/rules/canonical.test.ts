import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventFault, event_bytes, formatFault, nesting_levels, sizeFault, valueFault } from "./canonical.ts";

const event = { type: "m.room.message", sender: "@alice:parley.test", content: {} };

describe("canonical JSON holds", () => {
  const values = [
    0,
    1,
    -1,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    "",
    "ä😀\0",
    true,
    false,
    null,
    [],
    {},
    [[{}]],
    { a: [1] },
  ];
  for (const value of values) test(JSON.stringify(value), () => assert.equal(valueFault(value), undefined));
  test("an integer that was written as 1.0 or 1e3", () =>
    assert.equal(valueFault(JSON.parse("[1.0, 1e3]")), undefined));
});

describe("canonical JSON does not hold", () => {
  const values = ["0.5", "-0", "9007199254740992", "-9007199254740992", "1e400", "1e21"];
  for (const json of values) {
    test(json, () => assert.match(valueFault(JSON.parse(json)) ?? "", /\.$/));
    test(`${json} in a list`, () => assert.match(valueFault(JSON.parse(`[0,${json}]`)) ?? "", /\.$/));
    test(`${json} in an object`, () => assert.match(valueFault(JSON.parse(`{"a":1,"b":{"c":${json}}}`)) ?? "", /\.$/));
  }
  test("half of a surrogate pair", () => assert.match(valueFault("\ud800") ?? "", /surrogate/));
  test("half of a surrogate pair in a key", () => assert.match(valueFault({ "\udc00": 1 }) ?? "", /surrogate/));
  test("what is not JSON at all", () => assert.match(valueFault({ a: undefined }) ?? "", /undefined/));
});

/** Arrays in arrays, `levels` of them. */
function nested(levels: number): unknown {
  return JSON.parse("[".repeat(levels) + "]".repeat(levels));
}

test("the limits are those of the specification, and 100 levels", () => {
  assert.equal(event_bytes, 65_536);
  assert.equal(nesting_levels, 100);
});

test("an object is one level, as an array is", () => {
  const objects = (levels: number): unknown => JSON.parse('{"a":'.repeat(levels) + "1" + "}".repeat(levels));
  assert.equal(valueFault(objects(nesting_levels)), undefined);
  assert.match(valueFault(objects(nesting_levels + 1)) ?? "", /nested/);
});

test("a content may be nested up to its limit and no deeper, however deep it is", () => {
  assert.equal(valueFault(nested(nesting_levels)), undefined);
  assert.match(valueFault(nested(nesting_levels + 1)) ?? "", /nested/);
  assert.match(valueFault(nested(500_000)) ?? "", /nested/);
});

describe("an event is refused", () => {
  const faults: [string, object, string][] = [
    ["without a type", { type: undefined }, "M_BAD_JSON"],
    ["with an empty type", { type: "" }, "M_BAD_JSON"],
    ["with a type of 256 bytes", { type: "ä".repeat(128) }, "M_TOO_LARGE"],
    ["with NUL in its type", { type: "a\0" }, "M_BAD_JSON"],
    ["with a state_key that is no text", { state_key: null }, "M_BAD_JSON"],
    ["with a state_key of 256 bytes", { state_key: "s".repeat(256) }, "M_TOO_LARGE"],
    ["with NUL in its state_key", { state_key: "\0" }, "M_BAD_JSON"],
    ["with half of a surrogate pair in its state_key", { state_key: "\ud800" }, "M_BAD_JSON"],
    ["with a sender that is no user id", { sender: "alice" }, "M_BAD_JSON"],
    ["without content", { content: undefined }, "M_BAD_JSON"],
    ["with null for content", { content: null }, "M_BAD_JSON"],
    ["with a list for content", { content: [] }, "M_BAD_JSON"],
    ["with a text for content", { content: "hello" }, "M_BAD_JSON"],
    ["with a fraction in its content", { content: { geo: 0.5 } }, "M_BAD_JSON"],
  ];
  for (const [name, change, errcode] of faults) {
    test(name, () => {
      const fault = formatFault({ ...event, ...change });
      assert.equal(fault?.errcode, errcode);
      assert.match(fault.reason, /\.$/);
    });
  }
});

test("names of 255 bytes are let in", () => {
  assert.equal(formatFault({ ...event, type: "t".repeat(255), state_key: "ä".repeat(127) }), undefined);
});

test("an event of exactly the limit is let in, and one byte more is too large", () => {
  assert.equal(sizeFault(event_bytes), undefined);
  assert.equal(sizeFault(event_bytes + 1)?.errcode, "M_TOO_LARGE");
  const room = event_bytes - Buffer.byteLength(JSON.stringify({ ...event, content: { body: "" } }));
  assert.equal(eventFault({ ...event, content: { body: "x".repeat(room) } }), undefined);
  assert.equal(eventFault({ ...event, content: { body: "x".repeat(room + 1) } })?.errcode, "M_TOO_LARGE");
  assert.equal(eventFault({ ...event, content: { body: "ä".repeat(room / 2 + 1) } })?.errcode, "M_TOO_LARGE");
});
