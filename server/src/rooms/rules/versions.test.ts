import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { authorise } from "./authorise.ts";
import { isRestricted, mayBeKnockedOn } from "./join-rules.ts";
import { powerOf, requiredFor } from "./power.ts";
import { redact } from "./redact.ts";
import { contentOf, plan } from "./table/plan.ts";
import { alice, bob, held, member, proposed, stateOf } from "./table/scene.ts";
import { roomVersion, type RoomVersion, type RoomVersionId, supportedRoomVersions } from "./versions.ts";

/** In which versions something holds, as "7 8 9". */
function where(holds: (version: RoomVersionId) => boolean): string {
  return supportedRoomVersions.filter(holds).join(" ");
}

function isAllowed(version: RoomVersionId, scene: object, event: object): boolean {
  return authorise(stateOf({ version, ...scene }), proposed(version, event)).allowed;
}

describe("a room of an older version", () => {
  test("names its creator up to version 10, whatever the request says", () => {
    const creator = (room_version: RoomVersionId) =>
      contentOf(plan({ room_version, creation_content: { creator: bob } }), "m.room.create")?.creator;
    assert.equal(
      where((version) => creator(version) === alice),
      "1 2 3 4 5 6 7 8 9 10",
    );
    assert.equal(
      where((version) => creator(version) === undefined),
      "11 12",
    );
    const nameless = { type: "m.room.create", state_key: "", content: { room_version: "10" } };
    const verdict = authorise(stateOf({ version: "10" }), proposed("10", nameless));
    assert.equal(verdict.allowed, false);
  });

  test("can be knocked on from version 7, or by both ways from 10", () => {
    const knocks = (joinRule: string) => (version: RoomVersionId) =>
      isAllowed(version, { joinRule }, member(bob, "knock"));
    assert.equal(where(knocks("knock")), "7 8 9 10 11 12");
    assert.equal(where(knocks("knock_restricted")), "10 11 12");
    assert.equal(
      where((version) => mayBeKnockedOn(stateOf({ version, joinRule: "knock" }))),
      "7 8 9 10 11 12",
    );
  });

  test("can be restricted to the members of others from version 8, or from 10 in one with knocking", () => {
    const restricted = (joinRule: string) => where((version) => isRestricted(stateOf({ version, joinRule })));
    assert.equal(restricted("restricted"), "8 9 10 11 12");
    assert.equal(restricted("knock_restricted"), "10 11 12");
  });

  test("lets nobody in by a join rule that its version does not know, an invitation notwithstanding", () => {
    const joins = (version: RoomVersionId) =>
      isAllowed(version, { joinRule: "knock", members: { [bob]: "invite" } }, member(bob, "join"));
    assert.equal(where(joins), "7 8 9 10 11 12");
  });

  test("takes power levels that are texts up to version 9, and goes by them", () => {
    const levels = { type: "m.room.power_levels", state_key: "", content: { ban: " 70 ", users: { [bob]: "+60" } } };
    assert.equal(
      where((version) => isAllowed(version, {}, levels)),
      "1 2 3 4 5 6 7 8 9",
    );
    const state = stateOf({ version: "9", levels: levels.content });
    assert.equal(powerOf(state, bob), 60);
    assert.equal(requiredFor(state, "ban"), 70);
    for (const ban of ["", "1.5", "fifty", "0x10", "99999999999999999999", 1.5])
      assert.equal(isAllowed("9", {}, { ...levels, content: { ban } }), false, String(ban));
  });

  test("guards levels that are texts like numbers", () => {
    const scene = {
      members: { [bob]: "join" },
      levels: { users: { [alice]: "100", [bob]: "50" }, events: { "m.room.power_levels": "50" }, ban: "60" },
    };
    const change = (content: object) =>
      isAllowed("9", scene, {
        type: "m.room.power_levels",
        state_key: "",
        sender: bob,
        content: { ...scene.levels, ...content },
      });
    assert.equal(change({ kick: "50" }), true);
    assert.equal(change({ kick: "51" }), false);
    assert.equal(change({ ban: "50" }), false);
    assert.equal(change({ users: { [alice]: "0", [bob]: "50" } }), false);
  });

  test("guards the levels of notifications from version 6", () => {
    const scene = {
      members: { [bob]: "join" },
      levels: {
        users: { [alice]: 100, [bob]: 50 },
        events: { "m.room.power_levels": 50 },
        notifications: { room: 90 },
      },
    };
    const { levels } = scene;
    // Version 12 does not let its creator be listed.
    const event = {
      type: "m.room.power_levels",
      state_key: "",
      sender: bob,
      content: { ...levels, notifications: {} },
    };
    assert.equal(
      where((version) => version !== "12" && isAllowed(version, scene, event)),
      "1 2 3 4 5",
    );
  });

  test("keeps of a redacted event what its version says", () => {
    const keeps = (type: string, key: string) =>
      where((version) => key in redact(held(type, { [key]: "x" }), roomVersion(version) as RoomVersion).content);
    assert.equal(keeps("m.room.aliases", "aliases"), "1 2 3 4 5");
    assert.equal(keeps("m.room.join_rules", "allow"), "8 9 10 11 12");
    assert.equal(keeps("m.room.member", "join_authorised_via_users_server"), "9 10 11 12");
    assert.equal(keeps("m.room.power_levels", "invite"), "11 12");
    assert.equal(keeps("m.room.create", "type"), "11 12");
    assert.equal(keeps("m.room.create", "creator"), "1 2 3 4 5 6 7 8 9 10 11 12");
    assert.equal(keeps("m.room.redaction", "redacts"), "11 12");
  });
});
