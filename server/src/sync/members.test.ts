import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { createRoom, membersIn, people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";

test("members are loaded lazily: who speaks is told once, and everybody where the client wants all", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await createRoom(alice, { name: "named", invite: [bob.userId, carol.userId] });
  for (const each of [bob, carol]) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  await say(bob, roomId, "one");
  const filter = { room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } };
  const members = (room: Json) => membersIn(room.state);
  const first = await sync(alice, { filter });
  assert.deepEqual(members(first.rooms.join[roomId]), [alice.userId, bob.userId].toSorted());
  await say(bob, roomId, "two");
  const second = await sync(alice, { filter, since: first.next_batch });
  assert.deepEqual(members(second.rooms.join[roomId]), []);
  await say(carol, roomId, "three");
  const third = await sync(alice, { filter, since: second.next_batch });
  assert.deepEqual(members(third.rooms.join[roomId]), [carol.userId]);
  const all = await sync(alice, { filter: { room: { timeline: { limit: 1 } } } });
  assert.deepEqual(members(all.rooms.join[roomId]), [alice.userId, bob.userId, carol.userId].toSorted());
});

test("with lazy loading, those after whom a room without a name is called are told, however large it is", async () => {
  await using server = await startTestServer();
  const everybody = await people(server, "alice", ...Array.from({ length: 8 }, (_, i) => `p${i}`));
  const [alice, ...others] = everybody as [Person, ...Person[]];
  const roomId = await roomOf(alice, ...others);
  await say(alice, roomId, "hello");
  const filter = { room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } };
  const first = (await sync(alice, { filter })).rooms.join[roomId];
  const heroes = first.summary["m.heroes"] as string[];
  assert.equal(heroes.length, 5);
  assert.deepEqual(membersIn(first.state), [alice.userId, ...heroes].toSorted());

  await alice.call("PUT", roomPath(roomId, "state/m.room.name/"), { name: "named" });
  assert.deepEqual(membersIn((await sync(alice, { filter })).rooms.join[roomId].state), [alice.userId]);
});

test("with lazy loading, who is invited in the timeline is told in the state after it too", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(alice, { name: "named" });
  await alice.call("POST", roomPath(roomId, "invite"), { user_id: bob.userId });
  const filter = { room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } };
  const room = (await sync(alice, { filter, use_state_after: true })).rooms.join[roomId];
  assert.deepEqual(membersIn(room.state_after), [alice.userId, bob.userId].toSorted());
});
