import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Content } from "./event.ts";
import { contentOf, errorOf, plan } from "./table/plan.ts";
import { alice, bob, carol } from "./table/scene.ts";

describe("the power levels of a new room", () => {
  test("give the creator 100 in version 11, and name no creator in version 12", () => {
    assert.deepEqual(contentOf(plan({ room_version: "11" }), "m.room.power_levels")?.users, { [alice]: 100 });
    assert.deepEqual(contentOf(plan({}), "m.room.power_levels")?.users, {});
  });

  test("are those of the specification, with what changes the room itself left to administrators", () => {
    const events = {
      "m.room.name": 50,
      "m.room.avatar": 50,
      "m.room.canonical_alias": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.encryption": 100,
      "m.room.server_acl": 100,
      "m.room.tombstone": 150,
    };
    const actions = { ban: 50, kick: 50, redact: 50, invite: 0 };
    const expected = { users: {}, users_default: 0, events, events_default: 0, state_default: 50, ...actions };
    assert.deepEqual(contentOf(plan({}), "m.room.power_levels"), expected);
  });

  test("put the tombstone above administrators in version 12", () => {
    const tombstone = (body: object): unknown =>
      (contentOf(plan(body), "m.room.power_levels")!.events as Content)["m.room.tombstone"];
    assert.equal(tombstone({ room_version: "11" }), 100);
    assert.equal(tombstone({}), 150);
    assert.equal(tombstone({ power_level_content_override: { state_default: 149 } }), 150);
    assert.equal(tombstone({ power_level_content_override: { state_default: 150 } }), 151);
    assert.equal(
      tombstone({ power_level_content_override: { state_default: 200, events: { "m.room.name": 0 } } }),
      201,
    );
    assert.equal(
      tombstone({ power_level_content_override: { state_default: 200, events: { "m.room.tombstone": 7 } } }),
      7,
    );
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(tombstone({ power_level_content_override: { state_default: most } }), most);
  });

  test("take the override key by key, and the maps in it entry by entry", () => {
    const override = {
      ban: 90,
      events: { "m.room.name": 5, "org.example": 6 },
      users: { [bob]: 60 },
      notifications: { room: 70 },
    };
    const levels = contentOf(
      plan({ power_level_content_override: override, room_version: "11" }),
      "m.room.power_levels",
    )!;
    const events = levels.events as Content;
    assert.deepEqual([levels.ban, levels.kick], [90, 50]);
    assert.deepEqual([events["m.room.name"], events["org.example"], events["m.room.power_levels"]], [5, 6, 100]);
    assert.deepEqual(levels.users, { [alice]: 100, [bob]: 60 });
    assert.deepEqual(levels.notifications, { room: 70 });
  });

  test("have no event type of its own level where the override says so with an empty map", () => {
    const override = { events: {}, users_default: 100 };
    const levels = contentOf(plan({ power_level_content_override: override }), "m.room.power_levels")!;
    assert.deepEqual([levels.events, levels.users_default, levels.state_default], [{}, 100, 50]);
  });

  const refused: [why: string, body: object, errcode: string][] = [
    ["texts for numbers", { power_level_content_override: { ban: "50" } }, "M_BAD_JSON"],
    ["null for a map", { power_level_content_override: { users: null } }, "M_BAD_JSON"],
    ["null for events", { power_level_content_override: { events: null, state_default: 200 } }, "M_BAD_JSON"],
    ["a text for state_default", { power_level_content_override: { state_default: "200" } }, "M_BAD_JSON"],
    ["fractions", { power_level_content_override: { ban: 0.5 } }, "M_BAD_JSON"],
    [
      "a number for a creator of version 12",
      { power_level_content_override: { users: { [alice]: 100 } } },
      "M_BAD_JSON",
    ],
    [
      "a number for an invited creator",
      { preset: "trusted_private_chat", invite: [bob], power_level_content_override: { users: { [bob]: 100 } } },
      "M_BAD_JSON",
    ],
    [
      "a creator who is too weak for the name",
      { room_version: "11", name: "n", power_level_content_override: { users: { [alice]: 49 } } },
      "M_INVALID_ROOM_STATE",
    ],
    [
      "a creator who may not invite",
      { room_version: "11", invite: [bob], power_level_content_override: { invite: 101 } },
      "M_FORBIDDEN",
    ],
  ];
  for (const [why, body, errcode] of refused)
    test(`are refused for ${why}`, () =>
      assert.equal(
        errorOf(() => plan(body)),
        errcode,
      ));
});

describe("a trusted private chat", () => {
  const body = { preset: "trusted_private_chat", invite: [bob, carol, bob] };
  test("makes creators of all who are invited in version 12", () => {
    const creation_content = { additional_creators: [carol, "@dan:parley.test"] };
    assert.deepEqual(plan(body).events[0]!.content.additional_creators, [bob, carol]);
    assert.deepEqual(plan({ ...body, creation_content }).events[0]!.content.additional_creators, [
      carol,
      "@dan:parley.test",
      bob,
    ]);
    assert.deepEqual(contentOf(plan(body), "m.room.power_levels")?.users, {});
  });

  test("gives all who are invited the creator's level in version 11", () => {
    const room = plan({ ...body, room_version: "11" });
    assert.deepEqual(contentOf(room, "m.room.power_levels")?.users, { [alice]: 100, [bob]: 100, [carol]: 100 });
    assert.deepEqual(room.events[0]!.content, { room_version: "11" });
  });

  test("is the only preset that does", () => {
    const room = plan({ ...body, preset: "private_chat" });
    assert.deepEqual(room.events[0]!.content, { room_version: "12" });
    assert.deepEqual(
      contentOf(plan({ ...body, preset: "private_chat", room_version: "11" }), "m.room.power_levels")?.users,
      { [alice]: 100 },
    );
  });

  test("without anyone invited names no additional creators", () => {
    assert.deepEqual(plan({ preset: "trusted_private_chat" }).events[0]!.content, { room_version: "12" });
  });
});
