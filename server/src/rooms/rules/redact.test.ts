import assert from "node:assert/strict";
import { test } from "node:test";
import { redact as redactIn } from "./redact.ts";
import { roomVersion, type RoomVersion } from "./versions.ts";
import type { Content, RoomEvent } from "./event.ts";
import { alice, bob, held } from "./table/scene.ts";

const redact = (event: RoomEvent): RoomEvent => redactIn(event, roomVersion("12") as RoomVersion);

/** Content keys that the algorithm keeps, by event type, and beside each a key that it takes away. */
const kept: [type: string, before: Content, after: Content][] = [
  ["m.room.message", { body: "secret", msgtype: "m.text" }, {}],
  ["m.room.name", { name: "secret" }, {}],
  ["m.room.topic", { topic: "secret" }, {}],
  ["m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }, {}],
  [
    "m.room.create",
    { room_version: "12", type: "m.space", anything: { at: "all" } },
    { room_version: "12", type: "m.space", anything: { at: "all" } },
  ],
  [
    "m.room.member",
    { membership: "join", displayname: "secret", reason: "secret", is_direct: true },
    { membership: "join" },
  ],
  [
    "m.room.member",
    { membership: "join", join_authorised_via_users_server: bob },
    { membership: "join", join_authorised_via_users_server: bob },
  ],
  [
    "m.room.member",
    { membership: "invite", third_party_invite: { display_name: "secret", signed: { mxid: bob } } },
    { membership: "invite", third_party_invite: { signed: { mxid: bob } } },
  ],
  [
    "m.room.member",
    { membership: "invite", third_party_invite: { display_name: "secret" } },
    { membership: "invite", third_party_invite: {} },
  ],
  ["m.room.member", { membership: "invite", third_party_invite: "secret" }, { membership: "invite" }],
  [
    "m.room.join_rules",
    { join_rule: "restricted", allow: [{ type: "x" }], more: 1 },
    { join_rule: "restricted", allow: [{ type: "x" }] },
  ],
  [
    "m.room.power_levels",
    {
      ban: 1,
      events: { a: 1 },
      events_default: 2,
      invite: 3,
      kick: 4,
      redact: 5,
      state_default: 6,
      users: { [bob]: 7 },
      users_default: 8,
      notifications: { room: 9 },
      more: 10,
    },
    {
      ban: 1,
      events: { a: 1 },
      events_default: 2,
      invite: 3,
      kick: 4,
      redact: 5,
      state_default: 6,
      users: { [bob]: 7 },
      users_default: 8,
    },
  ],
  ["m.room.history_visibility", { history_visibility: "shared", more: 1 }, { history_visibility: "shared" }],
  ["m.room.redaction", { redacts: "$x", reason: "secret" }, { redacts: "$x" }],
  ["m.room.aliases", { aliases: ["#secret:parley.test"] }, {}],
  ["constructor", { name: "secret" }, {}],
];

for (const [type, before, after] of kept) {
  test(`redacting ${type} with ${Object.keys(before).join(", ")} keeps ${Object.keys(after).join(", ") || "nothing"}`, () => {
    assert.deepEqual(redact(held(type, before)).content, after);
  });
}

test("of the event itself only what the protocol needs is kept", () => {
  const event: RoomEvent = held(
    "m.room.redaction",
    { redacts: "$x" },
    { sender: bob, origin_server_ts: 5, redacts: "$x" },
  );
  const more = { ...event, unsigned: { age: 1 }, membership: "join", prev_content: {}, origin: "parley.test" };
  const { redacts: _, ...expected } = event;
  assert.deepEqual(redact(more), expected);
});

test("a message has no state_key after its redaction, and a state event keeps an empty one", () => {
  const { state_key: _, ...message } = held("m.room.message", {});
  assert.equal(Object.hasOwn(redact(message), "state_key"), false);
  assert.equal(redact(held("m.room.name", {})).state_key, "");
});

test("the event that is redacted is left as it was", () => {
  const event = held("m.room.member", { membership: "join", displayname: "Alice" }, { state_key: alice });
  const copy = structuredClone(event);
  redact(event);
  assert.deepEqual(event, copy);
});
