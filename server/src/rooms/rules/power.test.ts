import assert from "node:assert/strict";
import { test } from "node:test";
import { allowedRooms, authorisingUser } from "./join-rules.ts";
import { creatorsOf, notificationLevel, powerOf, requiredFor, requiredPower } from "./power.ts";
import type { Action } from "./power.ts";
import { alice, bob, carol, dan, held, stateOf } from "./table/scene.ts";

test("in a room without power levels the creator of version 11 has 100, the one of version 12 infinite power, others 0", () => {
  assert.equal(powerOf(stateOf({ version: "11" }), alice), 100);
  assert.equal(powerOf(stateOf({ version: "12" }), alice), Infinity);
  assert.equal(powerOf(stateOf({ version: "11" }), bob), 0);
  assert.equal(powerOf(stateOf({ version: "12" }), bob), 0);
});

test("with power levels a user has their entry, else users_default, else 0", () => {
  const levels = { users: { [bob]: 7 }, users_default: 3 };
  assert.equal(powerOf(stateOf({ levels }), bob), 7);
  assert.equal(powerOf(stateOf({ levels }), carol), 3);
  assert.equal(powerOf(stateOf({ levels: {} }), carol), 0);
  assert.equal(
    powerOf(stateOf({ version: "11", levels }), alice),
    3,
    "a creator of version 11 is a user like any other",
  );
  assert.equal(powerOf(stateOf({ version: "12", levels: { users: { [alice]: 1 } } }), alice), Infinity);
});

test("what an action takes when the levels do not say is 0 for inviting, and 50 for kicking, banning and redacting", () => {
  const expected: Record<Action, number> = { invite: 0, kick: 50, ban: 50, redact: 50 };
  for (const [action, level] of Object.entries(expected) as [Action, number][]) {
    assert.equal(requiredFor(stateOf({}), action), level);
    assert.equal(requiredFor(stateOf({ levels: {} }), action), level);
    assert.equal(requiredFor(stateOf({ levels: { [action]: 33 } }), action), 33);
  }
});

test("what an event takes when the levels do not say is 0 for messages and 50 for state", () => {
  for (const scene of [{}, { levels: {} }]) {
    assert.equal(requiredPower(stateOf(scene), "m.room.message", false), 0);
    assert.equal(requiredPower(stateOf(scene), "m.room.name", true), 50);
  }
});

test("a notification takes 50 when the levels do not say", () => {
  assert.equal(notificationLevel(stateOf({}), "room"), 50);
  assert.equal(notificationLevel(stateOf({ levels: { notifications: {} } }), "room"), 50);
  assert.equal(notificationLevel(stateOf({ levels: { notifications: { room: 0 } } }), "room"), 0);
});

test("the creators are the sender of the create event and, from version 12 on, its additional_creators, each once", () => {
  const creation = { additional_creators: [bob, alice, bob] };
  const creatorsIn = (version: "11" | "12", more = creation): string[] =>
    creatorsOf(stateOf({ version, creation: more }).get("m.room.create", "")!);
  assert.deepEqual(creatorsIn("12"), [alice, bob]);
  assert.deepEqual(creatorsIn("11"), [alice]);
  assert.deepEqual(creatorsIn("12", { additional_creators: [] }), [alice]);
});

test("only rooms in well-formed membership conditions of a restricted room count as allowed", () => {
  const allow = [
    { type: "m.room_membership", room_id: "!one:parley.test" },
    { type: "m.room_membership", room_id: "two" },
    { type: "m.room_membership" },
    { type: "org.example.other", room_id: "!three:parley.test" },
    "!four:parley.test",
    null,
    { type: "m.room_membership", room_id: `!${"d".repeat(43)}` },
  ];
  const roomsWith = (content: Record<string, unknown>): string[] =>
    allowedRooms(stateOf({ more: [held("m.room.join_rules", content)] }));
  for (const join_rule of ["restricted", "knock_restricted"]) {
    assert.deepEqual(roomsWith({ join_rule, allow }), ["!one:parley.test", `!${"d".repeat(43)}`]);
    assert.deepEqual(roomsWith({ join_rule, allow: { first: allow[0] } }), []);
    assert.deepEqual(roomsWith({ join_rule }), []);
  }
  assert.deepEqual(roomsWith({ join_rule: "invite", allow }), []);
  assert.deepEqual(allowedRooms(stateOf({})), []);
});

test("a restricted join is authorised by the first candidate who is joined and may invite", () => {
  const members = { [bob]: "join", [carol]: "join", [dan]: "invite" };
  const state = stateOf({ members, levels: { invite: 10, users: { [carol]: 10, [dan]: 99 } } });
  assert.equal(authorisingUser(state, [dan, bob, carol, alice]), carol);
  assert.equal(authorisingUser(state, [dan, bob]), undefined);
});
