import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Content } from "./event.ts";
import { addedAliases, contentFault, memberContentFromClient } from "./validate.ts";

const bob = "@bob:parley.test";
const ok: [type: string, content: Content, stateKey?: string][] = [
  ["m.room.member", { membership: "join", displayname: null, avatar_url: "mxc://a/b", reason: "why" }, bob],
  ...["invite", "leave", "ban", "knock"].map((membership): [string, Content, string] => [
    "m.room.member",
    { membership },
    bob,
  ]),
  ["m.room.power_levels", { users: { [bob]: 50 }, ban: 50 }],
  [
    "m.room.join_rules",
    { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: "!a:b" }, { type: "org.example" }] },
  ],
  ...["public", "invite", "knock", "restricted", "knock_restricted", "private"].map((join_rule): [string, Content] => [
    "m.room.join_rules",
    { join_rule },
  ]),
  ["m.room.canonical_alias", {}],
  ["m.room.canonical_alias", { alias: null, alt_aliases: null }],
  ["m.room.canonical_alias", { alias: "", alt_aliases: ["#a:parley.test"] }],
  ["m.room.canonical_alias", { alias: "#a:parley.test" }],
  ...["invited", "joined", "shared", "world_readable"].map((history_visibility): [string, Content] => [
    "m.room.history_visibility",
    { history_visibility },
  ]),
  ["m.room.guest_access", { guest_access: "can_join" }],
  ["m.room.guest_access", { guest_access: "forbidden" }],
  ["m.room.name", { name: "Name" }],
  ["m.room.name", {}],
  ["m.room.topic", { topic: "Topic" }],
  ["m.room.topic", { topic: null }],
  [
    "m.room.topic",
    { topic: "t", "m.topic": { "m.text": [{ body: "t" }, { body: "<b>t</b>", mimetype: "text/html" }] } },
  ],
  ["m.room.topic", { topic: "t", "m.topic": {} }],
  ["m.room.avatar", { url: "mxc://a/b" }],
  ["m.room.avatar", {}],
  ["m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2", rotation_period_ms: 1, rotation_period_msgs: 100 }],
  ["m.room.pinned_events", { pinned: ["$a"] }],
  ["m.room.server_acl", { allow: ["*"], deny: [] }],
  ["m.room.server_acl", {}],
  ["m.room.tombstone", { body: "", replacement_room: "!a:b" }],
  ["m.room.tombstone", { replacement_room: "!a:b" }],
  ["m.room.join_rules", { join_rule: "restricted", allow: ["!a:b"] }],
  ["org.example.anything", { at: ["all"] }],
  ["constructor", { at: ["all"] }],
];

const wrong: [type: string, content: Content, errcode?: string, stateKey?: string][] = [
  ["m.room.member", { membership: "join" }, "M_BAD_JSON", "bob"],
  ["m.room.member", {}, "M_BAD_JSON", bob],
  ["m.room.member", { membership: "admire" }, "M_BAD_JSON", bob],
  ["m.room.member", { membership: "join", displayname: 7 }, "M_BAD_JSON", bob],
  ["m.room.member", { membership: "join", avatar_url: {} }, "M_BAD_JSON", bob],
  ["m.room.member", { membership: "leave", reason: ["x"] }, "M_BAD_JSON", bob],
  ["m.room.join_rules", {}],
  ["m.room.join_rules", { join_rule: "open" }],
  ["m.room.canonical_alias", { alias: "a" }, "M_INVALID_PARAM"],
  ["m.room.canonical_alias", { alias: 7 }, "M_INVALID_PARAM"],
  ["m.room.canonical_alias", { alt_aliases: ["#a:parley.test", "a"] }, "M_INVALID_PARAM"],
  ["m.room.canonical_alias", { alt_aliases: [null] }, "M_INVALID_PARAM"],
  ["m.room.canonical_alias", { alt_aliases: "#a:parley.test" }],
  ["m.room.history_visibility", {}],
  ["m.room.history_visibility", { history_visibility: "everyone" }],
  ["m.room.guest_access", { guest_access: true }],
  ["m.room.name", { name: ["x"] }],
  ["m.room.topic", { topic: 7 }],
  ["m.room.topic", { topic: 7, "m.topic": {} }],
  ["m.room.topic", { topic: 7, "m.topic": { "m.text": [] } }],
  ["m.room.topic", { topic: "t", "m.topic": [] }],
  ["m.room.topic", { topic: "t", "m.topic": { "m.text": "t" } }],
  ["m.room.topic", { topic: "t", "m.topic": { "m.text": ["t"] } }],
  ["m.room.topic", { topic: "t", "m.topic": { "m.text": [{ mimetype: "text/plain" }] } }],
  ["m.room.topic", { topic: "t", "m.topic": { "m.text": [{ body: "t", mimetype: 7 }] } }],
  ["m.room.avatar", { url: 7 }],
  ["m.room.encryption", {}],
  ["m.room.encryption", { algorithm: "" }],
  ["m.room.encryption", { algorithm: "a", rotation_period_ms: "1" }],
  ["m.room.encryption", { algorithm: "a", rotation_period_msgs: 0 }],
  ["m.room.pinned_events", {}],
  ["m.room.pinned_events", { pinned: ["a"] }],
  ["m.room.server_acl", { allow: "*" }],
  ["m.room.server_acl", { deny: [7] }],
  ["m.room.tombstone", { body: "b", replacement_room: "a" }],
];

describe("a client may set", () => {
  for (const [type, content, state_key = ""] of ok) {
    test(`${type} ${JSON.stringify(content)}`, () =>
      assert.equal(contentFault({ type, state_key, content }), undefined));
  }
});

describe("a client may not set", () => {
  for (const [type, content, errcode = "M_BAD_JSON", state_key = ""] of wrong) {
    test(`${type} ${JSON.stringify(content)} for "${state_key}"`, () => {
      const fault = contentFault({ type, state_key, content });
      assert.equal(fault?.errcode, errcode);
      assert.match(fault.reason, /^\S.*\.$/);
    });
  }
});

test("aliases that were there before are not looked at again", () => {
  const previous = { alias: "broken", alt_aliases: ["#a:parley.test"] };
  const content = { alias: "#b:parley.test", alt_aliases: ["broken", "#a:parley.test", "#b:parley.test"] };
  assert.equal(contentFault({ type: "m.room.canonical_alias", state_key: "", content }, previous), undefined);
  assert.deepEqual(addedAliases(content, previous), ["#b:parley.test"]);
  assert.deepEqual(addedAliases(content), ["#b:parley.test", "broken", "#a:parley.test"]);
});

test("the key that only the server sets is taken from a client's membership content, and nothing else", () => {
  const content = { membership: "join", displayname: "Bob", join_authorised_via_users_server: bob };
  assert.deepEqual(memberContentFromClient(content), { membership: "join", displayname: "Bob" });
});
