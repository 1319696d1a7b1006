import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { bodies, createRoom, people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";

test("with use_state_after the state is that at the end of the timeline, and there is no state section", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  const { next_batch: since } = await sync(alice);
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "first" });
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "second" });
  const room = (await sync(alice, { since, use_state_after: true })).rooms.join[roomId];
  assert.equal(room.state, undefined);
  assert.deepEqual(
    room.state_after.events.map((event: Json) => event.content.topic),
    ["second"],
  );
  const whole = (await sync(alice, { use_state_after: true, filter: { room: { timeline: { limit: 1 } } } })).rooms.join[
    roomId
  ];
  assert.equal(whole.state_after.events.find((event: Json) => event.type === "m.room.topic").content.topic, "second");
});

test("who asks for the state after the timeline by its name of before the specification gets it under that name", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice, { name: "early" });
  for (let i = 0; i < 3; i++) await say(alice, roomId, `m${i}`);
  const filter = { room: { timeline: { limit: 1 } } };
  const room = (await sync(alice, { filter, "org.matrix.msc4222.use_state_after": true })).rooms.join[roomId];
  const { events } = room["org.matrix.msc4222.state_after"];
  assert.equal(events.find((event: Json) => event.type === "m.room.name").content.name, "early");
  assert.deepEqual([room.state, room.state_after], [undefined, undefined]);
});

test("a first sync gives the state before its timeline, so that both together are the state now", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice, { topic: "old" });
  await say(alice, roomId, "before");
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "new" });
  const room = (await sync(alice, { filter: { room: { timeline: { limit: 1 } } } })).rooms.join[roomId];
  const topics = (events: Json[]) =>
    events.filter((event) => event.type === "m.room.topic").map((event) => event.content.topic);
  assert.deepEqual(topics(room.state.events), ["old"]);
  assert.deepEqual(topics(room.timeline.events), ["new"]);
});

test("an invitation shows who invites and what room it is, and its refusal takes it away", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const { next_batch: since } = await sync(bob);
  const roomId = await createRoom(alice, { name: "Plans", invite: [bob.userId] });
  const invited = await sync(bob, { since });
  const events: Json[] = invited.rooms.invite[roomId].invite_state.events;
  assert.equal(events.find((event) => event.type === "m.room.name").content.name, "Plans");
  assert.deepEqual(
    events
      .filter((event) => event.type === "m.room.member")
      .map((event) => event.state_key as string)
      .toSorted(),
    [alice.userId, bob.userId],
  );
  assert.ok(events.some((event) => event.type === "m.room.create"));
  await bob.call("POST", roomPath(roomId, "leave"), {});
  const left = await sync(bob, { since: invited.next_batch });
  assert.equal(left.rooms.invite, undefined);
  assert.deepEqual(
    left.rooms.leave[roomId].timeline.events.map((event: Json) => event.content.membership),
    ["leave"],
  );
});

test("who is kicked sees the room up to the kick and nothing after it", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  await say(alice, roomId, "seen");
  await alice.call("POST", roomPath(roomId, "kick"), { user_id: bob.userId, reason: "test" });
  await say(alice, roomId, "not for bob");
  const answer = await sync(bob, { since });
  assert.deepEqual(bodies(answer.rooms.leave[roomId]), ["seen"]);
  assert.equal(answer.rooms.leave[roomId].timeline.events.at(-1).content.membership, "leave");
  assert.equal((await sync(bob, { since: answer.next_batch })).rooms, undefined);
  assert.equal((await sync(bob)).rooms, undefined, "a first sync has no left rooms unless it asks for them");
});

test("a room that was joined since comes whole: its state, its summary, its newest messages", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  await say(alice, roomId, "before you came");
  const { next_batch: since } = await sync(bob);
  await bob.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  const room = (await sync(bob, { since, filter: { room: { timeline: { limit: 2 } } } })).rooms.join[roomId];
  assert.deepEqual(bodies(room), ["before you came"], "history is shared with those who come later");
  assert.equal(room.summary["m.joined_member_count"], 2);
  assert.deepEqual(room.summary["m.heroes"], [alice.userId]);
  assert.ok(room.state.events.some((event: Json) => event.type === "m.room.create"));
});
