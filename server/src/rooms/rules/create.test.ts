import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MatrixError } from "../../errors.ts";
import { createRoomBody, createRoomLimits } from "./create-body.ts";
import type { RoomPlan } from "./create.ts";
import type { Content, RoomEvent } from "./event.ts";
import { PRESET_EVENTS, START, contentOf, errorOf, plan, typesOf } from "./table/plan.ts";
import { alice, bob, carol } from "./table/scene.ts";

describe("the events of a new room", () => {
  test("are the creation, the creator's join, the power levels and the preset, in this order", () => {
    assert.deepEqual(typesOf(plan({})), [...START, ...PRESET_EVENTS]);
  });

  test("come in the order of the specification when everything is asked for", () => {
    const body = {
      room_alias_name: "thepub",
      name: "The Grand Duke Pub",
      topic: "All about happy hour",
      initial_state: [{ type: "m.room.encryption", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
      invite: [bob, carol],
    };
    const rest = ["m.room.encryption", "m.room.name", "m.room.topic", `invite ${bob}`, `invite ${carol}`];
    assert.deepEqual(typesOf(plan(body)), [...START, "m.room.canonical_alias", ...PRESET_EVENTS, ...rest]);
  });

  test("all carry the room's id, the creator and the time, and each an id of its own", () => {
    const { events, room_id } = plan({ invite: [bob], name: "n" });
    for (const event of events) {
      assert.equal(event.room_id, room_id);
      assert.equal(event.sender, alice);
      assert.equal(event.origin_server_ts, 1_700_000_000_000);
    }
    assert.equal(new Set(events.map(({ event_id }) => event_id)).size, events.length);
  });

  test("are few enough for one batch even when the request asks for all that it may", () => {
    const invite = Array.from({ length: createRoomLimits.invites }, (_, n) => `@u${n}:parley.test`);
    const initial_state = Array.from({ length: createRoomLimits.initialState_events }, (_, n) => ({
      type: "org.example",
      state_key: `${n}`,
      content: {},
    }));
    assert.equal(plan({ invite, initial_state, name: "n", topic: "t", room_alias_name: "a" }).events.length, 159);
    assert.equal(createRoomBody.safeParse({ invite: [...invite, bob] }).success, false);
    assert.equal(createRoomBody.safeParse({ initial_state: [...initial_state, initial_state[0]] }).success, false);
  });
});

describe("the version of a new room", () => {
  test("is 12 when the client names none, and its room id is the id of the create event", () => {
    const room = plan({});
    assert.equal(room.room_version, "12");
    assert.equal(room.room_id, `!${room.events[0]!.event_id.slice(1)}`);
    assert.deepEqual(room.events[0]!.content, { room_version: "12" });
  });

  test("is 11 when the client asks for it, and its room id carries the server", () => {
    const room = plan({ room_version: "11" });
    assert.equal(room.room_id, "!opaque:parley.test");
    assert.deepEqual(room.events[0]!.content, { room_version: "11" });
  });

  test("is the server's default when that is another", () => {
    assert.equal(plan({}, { defaultVersion: "11" }).room_version, "11");
    assert.equal(plan({ room_version: "12" }, { defaultVersion: "11" }).room_version, "12");
  });

  for (const room_version of ["0", "01", "13", ""]) {
    test(`can not be "${room_version}"`, () =>
      assert.equal(
        errorOf(() => plan({ room_version })),
        "M_UNSUPPORTED_ROOM_VERSION",
      ));
  }
  test("is a text", () => assert.equal(createRoomBody.safeParse({ room_version: 12 }).success, false));
});

describe("the creation content", () => {
  test("goes into the create event, but for what the server decides", () => {
    const creation_content = {
      "m.federate": false,
      type: "m.space",
      creator: bob,
      room_version: "1",
      predecessor: { room_id: "!old:parley.test" },
    };
    const expected = {
      "m.federate": false,
      type: "m.space",
      room_version: "12",
      predecessor: { room_id: "!old:parley.test" },
    };
    assert.deepEqual(plan({ creation_content }).events[0]!.content, expected);
  });

  test("may name additional creators in version 12", () => {
    assert.deepEqual(
      plan({ creation_content: { additional_creators: [bob] } }).events[0]!.content.additional_creators,
      [bob],
    );
  });

  for (const additional_creators of ["@bob:parley.test", [7], ["bob"], null, {}]) {
    for (const more of [{}, { preset: "trusted_private_chat", invite: [carol] }]) {
      test(`is refused with additional_creators ${JSON.stringify(additional_creators)} ${JSON.stringify(more)}`, () => {
        assert.equal(
          errorOf(() => plan({ ...more, creation_content: { additional_creators } })),
          "M_BAD_JSON",
        );
      });
    }
  }
});

describe("the members of a new room", () => {
  test("have the profiles that they have on the server", () => {
    const profiles = new Map([
      [alice, { displayname: "Alice", avatar_url: "mxc://a/b" }],
      [bob, { displayname: "Bob" }],
    ]);
    const room = plan({ invite: [bob, carol] }, { profiles });
    assert.deepEqual(contentOf(room, "m.room.member", alice), {
      membership: "join",
      displayname: "Alice",
      avatar_url: "mxc://a/b",
    });
    assert.deepEqual(contentOf(room, "m.room.member", bob), { membership: "invite", displayname: "Bob" });
    assert.deepEqual(contentOf(room, "m.room.member", carol), { membership: "invite" });
  });

  test("are told when the room is a direct chat, and only then", () => {
    const invited = (is_direct: boolean): Content | undefined =>
      contentOf(plan({ invite: [bob], is_direct }), "m.room.member", bob);
    assert.deepEqual(invited(true), { membership: "invite", is_direct: true });
    assert.deepEqual(invited(false), { membership: "invite" });
    assert.deepEqual(contentOf(plan({ invite: [bob], is_direct: true }), "m.room.member", alice), {
      membership: "join",
    });
  });

  test("are each invited once, and the creator not at all", () => {
    assert.deepEqual(typesOf(plan({ invite: [bob, bob] })).slice(-1), [`invite ${bob}`]);
    assert.equal(plan({ invite: [bob, bob] }).events.length, 7);
    assert.equal(
      errorOf(() => plan({ invite: [alice] })),
      "M_FORBIDDEN",
    );
  });

  test("are users", () => assert.equal(createRoomBody.safeParse({ invite: ["bob"] }).success, false));

  test("are not invited by e-mail address", () => {
    assert.equal(
      errorOf(() => plan({ invite_3pid: [{ medium: "email" }] })),
      "M_THREEPID_DENIED",
    );
    assert.equal(plan({ invite_3pid: [] }).events.length, 6);
  });
});

test("a refused request says why", () => {
  const action = (): RoomPlan =>
    plan({ room_version: "11", name: "n", power_level_content_override: { users: { [alice]: 0 } } });
  assert.throws(
    action,
    (error: MatrixError) => error.status === 400 && error.message.includes("do not have the power"),
  );
});

test("a plan is the same for the same request, ids and time", () => {
  const body = { name: "n", invite: [bob] };
  const once: readonly RoomEvent[] = plan(body).events;
  assert.deepEqual(plan(body).events, once);
});
