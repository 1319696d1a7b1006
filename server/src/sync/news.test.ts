import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { bodies, createRoom, people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";

test("a limited timeline brings what was said about its events since, a whole one does not need to", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  const root = await say(alice, roomId, "root");
  const reply = await say(alice, roomId, {
    body: "answer",
    "m.relates_to": { rel_type: "m.thread", event_id: root },
  });
  const filter = { room: { timeline: { limit: 2 } } };
  for (const answer of [
    await sync(bob, { filter }),
    await sync(bob, { since, filter: { room: { timeline: { limit: 2 } } } }),
  ]) {
    const room = answer.rooms.join[roomId];
    const event = room.timeline.events.find((each: Json) => each.event_id === root);
    const latest = event.unsigned["m.relations"]?.["m.thread"].latest_event.event_id;
    assert.equal(latest, room.timeline.limited ? reply : undefined);
  }
  assert.equal((await sync(bob, { filter })).rooms.join[roomId].timeline.limited, true);
});

test("who comes to share a room with somebody who is online learns so", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  await sync(bob);
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  const { next_batch: since } = await sync(alice);
  await bob.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  const told = (await sync(alice, { since })).presence?.events.map((event: Json) => [
    event.sender,
    event.content.presence,
  ]);
  assert.deepEqual(told, [[bob.userId, "online"]]);
});

test("receipts of others are told, private ones only to their owner, and typing ends", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const eventId = await say(alice, roomId, "hello");
  const { next_batch: since } = await sync(alice);
  await bob.call("POST", roomPath(roomId, `receipt/m.read.private/${eventId}`), {});
  assert.equal((await sync(alice, { since })).rooms, undefined);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${eventId}`), {});
  await bob.call("PUT", roomPath(roomId, `typing/${encodeURIComponent(bob.userId)}`), {
    typing: true,
    timeout: 30_000,
  });
  const told = await sync(alice, { since });
  const ephemeral: Json[] = told.rooms.join[roomId].ephemeral.events;
  assert.ok(ephemeral.find((event) => event.type === "m.receipt").content[eventId]["m.read"][bob.userId].ts > 0);
  assert.deepEqual(ephemeral.find((event) => event.type === "m.typing").content.user_ids, [bob.userId]);
  const waiting = sync(alice, { since: told.next_batch, timeout: 20_000 });
  await bob.call("PUT", roomPath(roomId, `typing/${encodeURIComponent(bob.userId)}`), { typing: false });
  assert.deepEqual((await waiting).rooms.join[roomId].ephemeral.events[0].content.user_ids, []);
});

test("the transaction id comes back to the session that sent, and to no other", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const other = await signInPerson(server.url, "alice");
  const roomId = await createRoom(alice);
  await alice.call("PUT", roomPath(roomId, "send/m.room.message/mine"), { msgtype: "m.text", body: "x" });
  const last = async (person: Person) => (await sync(person)).rooms.join[roomId].timeline.events.at(-1).unsigned;
  assert.equal((await last(alice)).transaction_id, "mine");
  assert.equal((await last(other)).transaction_id, undefined);
});

test("what a person ignores does not arrive: messages and invitations", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await bob.call("PUT", `/_matrix/client/v3/user/${encodeURIComponent(bob.userId)}/account_data/m.ignored_user_list`, {
    ignored_users: { [alice.userId]: {} },
  });
  const { next_batch: since } = await sync(bob);
  await say(alice, roomId, "unheard");
  await createRoom(alice, { invite: [bob.userId] });
  const answer = await sync(bob, { since });
  assert.equal(answer.rooms?.invite, undefined);
  assert.deepEqual(bodies(answer.rooms?.join?.[roomId] ?? { timeline: { events: [] } }), []);
});

test("a redacted message is gone from memory as from the table", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  const eventId = await say(alice, roomId, "regretted");
  await alice.call("PUT", roomPath(roomId, `redact/${eventId}/r1`), { reason: "typo" });
  for (const answer of [await sync(bob, { since }), await sync(bob)]) {
    const event = answer.rooms.join[roomId].timeline.events.find((each: Json) => each.event_id === eventId);
    assert.deepEqual(event.content, {});
    assert.equal(event.unsigned.redacted_because.content.redacts, eventId);
    assert.equal(JSON.stringify(answer).includes("regretted"), false);
  }
});

test("each event of a timeline says what the reader was when it was sent", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(alice, { preset: "public_chat" });
  await say(alice, roomId, "before");
  await bob.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  const { next_batch: since } = await sync(bob);
  await bob.call("PUT", `/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname: "Robert" });
  await say(alice, roomId, "after");
  const membershipsIn = (answer: Json, section = "join") =>
    answer.rooms[section][roomId].timeline.events.map((event: Json) => event.unsigned?.membership);
  const all = membershipsIn(await sync(bob));
  assert.deepEqual([all.at(0), all.at(-4)], ["leave", "leave"]);
  assert.deepEqual(all.slice(-3), ["join", "join", "join"]);
  assert.deepEqual(membershipsIn(await sync(bob, { since })), ["join", "join"]);
  await bob.call("POST", `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/leave`, {});
  assert.deepEqual(membershipsIn(await sync(bob, { since }), "leave"), ["join", "join", "leave"]);
});

test("who blocks invitations is told of none, and of all again when they do not any more", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  const config = `/_matrix/client/v3/user/${bob.userId}/account_data/m.invite_permission_config`;
  await bob.call("PUT", config, { default_action: "block" });
  assert.equal((await sync(bob)).rooms?.invite, undefined);
  await bob.call("PUT", config, {});
  assert.deepEqual(Object.keys((await sync(bob)).rooms.invite), [roomId]);
});
