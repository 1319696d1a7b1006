import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { supportedRoomVersions } from "./rules/versions.ts";

const CLIENT = "/_matrix/client/v3";
const { alice, bob, carol } = await startNeighbours(["alice", "bob", "carol"], {
  config: { roles: ["auth", "messages", "gateway"] },
});

for (const room_version of supportedRoomVersions)
  test(`people meet and talk in a room of version ${room_version}, and it can be replaced`, async () => {
    const room = await createRoom(alice, { room_version, preset: "private_chat" });
    assert.equal((await room.read(alice, "state/m.room.create")).room_version, room_version);
    await room.change(alice, "invite", bob);
    await room.change(bob, "join");
    const eventId = await room.say(bob, "hello");
    await room.redact(alice, eventId);
    const redacted = await room.read(alice, `event/${eventId}`);
    assert.deepEqual(redacted.content, {});
    // As older clients look for it, and as newer ones do.
    const { redacts, content } = redacted.unsigned.redacted_because;
    assert.deepEqual([redacts, content.redacts], [eventId, eventId]);
    const { replacement_room } = await alice.call("POST", `${room.path}/upgrade`, { new_version: "12" });
    const tombstone = await room.read(bob, "state/m.room.tombstone");
    assert.equal(tombstone.replacement_room, replacement_room);
  });

const join = (who: Person, roomId: string) => who.ask("POST", `${CLIENT}/join/${encodeURIComponent(roomId)}`, {});

test("a room of version 7 is knocked on, and one of version 6 is not", async () => {
  for (const [room_version, status] of [
    ["7", 200],
    ["6", 403],
  ] as const) {
    const join_rules = { type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } };
    const room = await createRoom(alice, { room_version, preset: "private_chat", initial_state: [join_rules] });
    const knocked = await carol.ask("POST", `${CLIENT}/knock/${encodeURIComponent(room.id)}`, { reason: "Hello?" });
    assert.equal(knocked.status, status, room_version);
  }
});

test("a room of version 8 lets the members of another in, and nobody once its list is mangled", async () => {
  const allowed = await createRoom(alice);
  const allow: unknown = [{ type: "m.room_membership", room_id: allowed.id }];
  const rules = (list: unknown) => ({ join_rule: "restricted", allow: list });
  const initial_state = [{ type: "m.room.join_rules", state_key: "", content: rules(allow) }];
  const room = await createRoom(alice, { room_version: "8", initial_state });
  assert.equal((await join(bob, room.id)).status, 403);
  await allowed.change(bob, "join");
  assert.equal((await join(bob, room.id)).status, 200);
  await room.change(bob, "leave");
  // By the other request for it too, in which nobody can name the member who vouches.
  const content = { membership: "join", join_authorised_via_users_server: carol.userId };
  await room.set(bob, `m.room.member/${bob.userId}`, content);
  const { join_authorised_via_users_server: via } = await room.read(alice, `state/m.room.member/${bob.userId}`);
  assert.equal(via, alice.userId);
  assert.equal((await carol.ask("PUT", `${room.path}/state/m.room.member/${carol.userId}`, content)).status, 403);
  await room.change(bob, "leave");
  for (const mangled of [["invalid"], "invalid", {}, null]) {
    await room.set(alice, "m.room.join_rules", rules(mangled));
    assert.equal((await join(bob, room.id)).status, 403, JSON.stringify(mangled));
  }
});

test("levels that are texts become numbers in the room of a newer version", async () => {
  const room = await createRoom(alice, { room_version: "9" });
  const levels = await room.read(alice, "state/m.room.power_levels");
  await room.set(alice, "m.room.power_levels", {
    ...levels,
    ban: "60",
    users: { ...levels.users, [bob.userId]: "50" },
  });
  const { replacement_room } = await alice.call("POST", `${room.path}/upgrade`, { new_version: "10" });
  const path = `${CLIENT}/rooms/${encodeURIComponent(replacement_room)}/state/m.room.power_levels`;
  const replaced = await alice.call("GET", path);
  assert.deepEqual([replaced.ban, replaced.users], [60, { [alice.userId]: 100, [bob.userId]: 50 }]);
});
