import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRoomBody } from "./create-body.ts";
import type { Content } from "./event.ts";
import { START, contentOf, errorOf, plan, typesOf } from "./table/plan.ts";
import { alice, bob } from "./table/scene.ts";

describe("the preset of a new room", () => {
  const expected: [body: object, joinRule: string, guests: string, invite: number][] = [
    [{}, "invite", "can_join", 0],
    [{ visibility: "private" }, "invite", "can_join", 0],
    [{ visibility: "public" }, "public", "forbidden", 50],
    [{ preset: "private_chat" }, "invite", "can_join", 0],
    [{ preset: "public_chat" }, "public", "forbidden", 50],
    [{ preset: "trusted_private_chat" }, "invite", "can_join", 0],
    [{ visibility: "public", preset: "private_chat" }, "invite", "can_join", 0],
  ];
  for (const [body, join_rule, guest_access, invite] of expected) {
    test(`for ${JSON.stringify(body)} is join rule ${join_rule}`, () => {
      const room = plan(body);
      assert.deepEqual(contentOf(room, "m.room.join_rules"), { join_rule });
      assert.deepEqual(contentOf(room, "m.room.history_visibility"), { history_visibility: "shared" });
      assert.deepEqual(contentOf(room, "m.room.guest_access"), { guest_access });
      assert.equal(contentOf(room, "m.room.power_levels")?.invite, invite);
    });
  }

  test("gives way to the initial state", () => {
    const visibility = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
    const room = plan({ initial_state: [visibility, { type: "org.example", content: {} }] });
    assert.deepEqual(contentOf(room, "m.room.history_visibility"), { history_visibility: "joined" });
    const rest = ["m.room.join_rules", "m.room.guest_access", "m.room.history_visibility", "org.example"];
    assert.deepEqual(typesOf(room), [...START, ...rest]);
  });

  test("does not give way to state of its types under another key", () => {
    const initial_state = [{ type: "m.room.join_rules", state_key: "x", content: { join_rule: "public" } }];
    assert.deepEqual(contentOf(plan({ initial_state }), "m.room.join_rules"), { join_rule: "invite" });
  });
});

describe("name, topic and alias", () => {
  test("the topic stands there as plain text and as a text with its type", () => {
    const expected = { topic: "t", "m.topic": { "m.text": [{ body: "t", mimetype: "text/plain" }] } };
    assert.deepEqual(contentOf(plan({ topic: "t" }), "m.room.topic"), expected);
  });

  test("name and topic take the place of those in the initial state", () => {
    const initial_state = [
      { type: "m.room.name", content: { name: "old" } },
      { type: "m.room.topic", content: { topic: "old" } },
      { type: "m.room.name", state_key: "other", content: { name: "kept" } },
    ];
    const room = plan({ initial_state, name: "new", topic: "new" });
    assert.deepEqual(typesOf(room).slice(6), ["m.room.name", "m.room.name", "m.room.topic"]);
    assert.deepEqual(contentOf(room, "m.room.name"), { name: "new" });
    assert.deepEqual(contentOf(room, "m.room.name", "other"), { name: "kept" });
    assert.deepEqual(contentOf(plan({ initial_state, name: "new" }), "m.room.topic"), { topic: "old" });
    assert.deepEqual(contentOf(plan({ initial_state, topic: "new" }), "m.room.name"), { name: "old" });
  });

  test("the alias is made of the local part and the server's name", () => {
    const room = plan({ room_alias_name: "thepub" });
    assert.equal(room.alias, "#thepub:parley.test");
    assert.deepEqual(contentOf(room, "m.room.canonical_alias"), { alias: "#thepub:parley.test" });
    assert.equal(plan({}).alias, undefined);
  });

  for (const room_alias_name of ["", "a:b", "80:parley.test", "nul\0", "a".repeat(250)]) {
    test(`the alias is not made of ${JSON.stringify(room_alias_name).slice(0, 20)}`, () => {
      assert.equal(
        errorOf(() => plan({ room_alias_name })),
        "M_INVALID_PARAM",
      );
    });
  }
});

describe("the initial state", () => {
  const refused: [why: string, event: object, errcode: string][] = [
    ["a second create event", { type: "m.room.create", content: { room_version: "12" } }, "M_INVALID_ROOM_STATE"],
    [
      "an invitation, which belongs into invite",
      { type: "m.room.member", state_key: bob, content: { membership: "invite" } },
      "M_BAD_JSON",
    ],
    [
      "a profile of the creator's choice",
      { type: "m.room.member", state_key: alice, content: { membership: "join", displayname: "Bob" } },
      "M_BAD_JSON",
    ],
    ["another user's state", { type: "org.example", state_key: bob, content: {} }, "M_INVALID_ROOM_STATE"],
    ["malformed content", { type: "m.room.join_rules", content: { join_rule: "open" } }, "M_BAD_JSON"],
    ["fractions", { type: "org.example", content: { a: 0.5 } }, "M_BAD_JSON"],
    ["a type that is too long", { type: "t".repeat(256), content: {} }, "M_TOO_LARGE"],
    ["an event that is too large", { type: "org.example", content: { a: "x".repeat(65_536) } }, "M_TOO_LARGE"],
  ];
  for (const [why, event, errcode] of refused) {
    test(`is refused with ${why}`, () =>
      assert.equal(
        errorOf(() => plan({ initial_state: [event] })),
        errcode,
      ));
  }

  test("may hold bans", () => {
    const initial_state = [{ type: "m.room.member", state_key: bob, content: { membership: "ban" } }];
    assert.deepEqual(typesOf(plan({ initial_state })).slice(-1), [`ban ${bob}`]);
    assert.equal(
      errorOf(() => plan({ initial_state, invite: [bob] })),
      "M_FORBIDDEN",
    );
  });

  test("does not ban the creator", () => {
    const initial_state = [{ type: "m.room.member", state_key: alice, content: { membership: "ban" } }];
    assert.equal(
      errorOf(() => plan({ initial_state })),
      "M_INVALID_ROOM_STATE",
    );
  });

  test("keeps every key of its contents", () => {
    const content = JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as Content;
    const room = plan({ initial_state: [{ type: "org.example", content }] });
    assert.equal(JSON.stringify(contentOf(room, "org.example")), '{"__proto__":{"a":1},"b":2}');
  });

  test("holds events with a type and an object for content", () => {
    assert.equal(createRoomBody.safeParse({ initial_state: [{ type: "a", content: {} }] }).success, true);
    for (const event of [
      { content: {} },
      { type: "", content: {} },
      { type: "a" },
      { type: "a", content: [] },
      { type: "a", state_key: 7, content: {} },
    ]) {
      assert.equal(createRoomBody.safeParse({ initial_state: [event] }).success, false, JSON.stringify(event));
    }
  });
});
