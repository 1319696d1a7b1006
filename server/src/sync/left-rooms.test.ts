/** What somebody who is not in a room, or was not all the time, learns of it: from memory and from the database alike. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { syncPartsOf } from "./parts.ts";

const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
const joinPath = (roomId: string) => `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`;
type Query = Record<string, string | undefined>;
let txn = 0;

async function say(person: Person, roomId: string, body: string): Promise<void> {
  await person.call("PUT", roomPath(roomId, `send/m.room.message/m${++txn}`), { msgtype: "m.text", body });
}

async function topic(person: Person, roomId: string, text: string): Promise<void> {
  await person.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: text });
}

async function syncAt(url: string, { token }: Person, query: Query = {}): Promise<Json> {
  const { status, body } = await request(
    url,
    "GET",
    `/_matrix/client/v3/sync?${new URLSearchParams(JSON.parse(JSON.stringify(query)))}`,
    {
      token,
    },
  );
  assert.equal(status, 200);
  return body;
}

/** The same sync from a server whose memory reaches back far enough, and from one that must ask the database. */
async function bothWays(server: TestServer, person: Person, query: Query): Promise<Json[]> {
  const fromMemory = await syncAt(server.url, person, query);
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  Object.assign(second.ctx.log.tail, { floor: () => second.ctx.log.hub.head() });
  return [fromMemory, await syncAt(second.url, person, query)];
}

async function pair(server: TestServer): Promise<[Person, Person]> {
  return [await registerPerson(server.url, "alice"), await registerPerson(server.url, "bob")];
}

async function createRoom(person: Person, body: object): Promise<string> {
  return (await person.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", ...body })).room_id;
}

const bodies = (room: Json): string[] =>
  room.timeline.events.map((event: Json) => event.content.body).filter((body: unknown) => body !== undefined);

test("who is kicked learns neither messages nor state of after the kick, however much there is of it", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  await bob.call("POST", joinPath(roomId), {});
  const { next_batch: since } = await syncAt(server.url, bob);
  await say(alice, roomId, "before");
  await alice.call("POST", roomPath(roomId, "kick"), { user_id: bob.userId });
  await topic(alice, roomId, "secret topic");
  for (let i = 0; i < 25; i++) await say(alice, roomId, `secret ${i}`);
  for (const more of [{}, { use_state_after: "true" }, { full_state: "true" }])
    for (const answer of await bothWays(server, bob, { since, ...more })) {
      assert.equal(JSON.stringify(answer).includes("secret"), false);
      const { events } = answer.rooms.leave[roomId].timeline;
      assert.deepEqual(bodies(answer.rooms.leave[roomId]), ["before"]);
      assert.equal(events.at(-1).content.membership, "leave");
    }
});

test("a first sync tells of a ban, and of a kick only where it asks for rooms that were left", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  const [banned, kicked] = [await createRoom(alice, {}), await createRoom(alice, {})];
  for (const roomId of [banned, kicked]) {
    await alice.call("POST", roomPath(roomId, "invite"), { user_id: bob.userId });
    await bob.call("POST", joinPath(roomId), {});
  }
  await alice.call("POST", roomPath(banned, "ban"), { user_id: bob.userId });
  await alice.call("POST", roomPath(kicked, "kick"), { user_id: bob.userId });
  const left = async (query: Query) => Object.keys((await syncAt(server.url, bob, query)).rooms.leave);
  assert.deepEqual(await left({}), [banned]);
  const filter = JSON.stringify({ room: { include_leave: true } });
  assert.deepEqual((await left({ filter })).toSorted(), [banned, kicked].toSorted());
  await bob.call("POST", roomPath(banned, "forget"), {});
  assert.equal((await syncAt(server.url, bob)).rooms, undefined);
});

test("who declines an invitation learns nothing of the room but that", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  const encryption = { type: "m.room.encryption", content: { algorithm: "m.megolm.v1.aes-sha2" } };
  const roomId = await createRoom(alice, { invite: [bob.userId], initial_state: [encryption] });
  const { next_batch: since } = await syncAt(server.url, bob);
  await topic(alice, roomId, "secret topic");
  await bob.call("POST", roomPath(roomId, "leave"), {});
  const lazily = JSON.stringify({ room: { include_leave: true, state: { lazy_load_members: true } } });
  const asked = [{ since }, { since, full_state: "true" }, { since, filter: lazily }, { filter: lazily }];
  for (const query of asked)
    for (const answer of await bothWays(server, bob, query)) {
      const { state, timeline } = answer.rooms.leave[roomId];
      assert.deepEqual(state.events, []);
      assert.deepEqual(
        timeline.events.map((event: Json) => [event.type, event.state_key, event.content.membership]),
        [["m.room.member", bob.userId, "leave"]],
      );
      assert.equal(answer.device_lists, undefined, "whose devices are in the room is a secret too");
    }
});

test("who was invited, came and left between two syncs sees the time in the room", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  const { next_batch: since } = await syncAt(server.url, bob);
  await bob.call("POST", joinPath(roomId), {});
  await say(alice, roomId, "welcome");
  await bob.call("POST", roomPath(roomId, "leave"), {});
  await say(alice, roomId, "secret");
  for (const answer of await bothWays(server, bob, { since })) {
    assert.equal(JSON.stringify(answer).includes("secret"), false);
    assert.ok(bodies(answer.rooms.leave[roomId]).includes("welcome"));
  }
});

test("who left and came back between two syncs does not see what was hidden meanwhile, where history is for members", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  const history = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
  const roomId = await createRoom(alice, { invite: [bob.userId], initial_state: [history] });
  await bob.call("POST", joinPath(roomId), {});
  const { next_batch: since } = await syncAt(server.url, bob);
  await say(alice, roomId, "before");
  await bob.call("POST", roomPath(roomId, "leave"), {});
  await say(alice, roomId, "secret");
  await topic(alice, roomId, "new topic");
  await alice.call("POST", roomPath(roomId, "invite"), { user_id: bob.userId });
  await bob.call("POST", joinPath(roomId), {});
  await say(alice, roomId, "after");
  for (const answer of await bothWays(server, bob, { since })) {
    assert.equal(JSON.stringify(answer).includes("secret"), false);
    const room = answer.rooms.join[roomId];
    assert.deepEqual(bodies(room), ["before", "after"]);
    assert.ok(room.state.events.some((event: Json) => event.content.topic === "new topic"));
  }
});

test("messages of a room that was left after a cut for too many to-device messages are not lost", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  await bob.call("POST", joinPath(roomId), {});
  const { next_batch: since } = await syncAt(server.url, bob);
  await say(alice, roomId, "early");
  const send = (i: number) =>
    alice.call("PUT", `/_matrix/client/v3/sendToDevice/org.example/d${i}`, {
      messages: { [bob.userId]: { [bob.deviceId]: { i } } },
    });
  for (let i = 0; i < 101; i++) await send(i);
  await bob.call("POST", roomPath(roomId, "leave"), {});
  const [fromMemory, fromDatabase] = await bothWays(server, bob, { since });
  for (const first of [fromMemory, fromDatabase]) {
    assert.equal(first.to_device.events.length, 100);
    assert.deepEqual(bodies(first.rooms.join[roomId]), ["early"]);
    const second = await syncAt(server.url, bob, { since: first.next_batch });
    assert.deepEqual(Object.keys(second.rooms), ["leave"]);
    assert.deepEqual(
      second.to_device.events.map((event: Json) => event.content.i),
      [100],
    );
  }
});

test("a to-device message that has arrived does not come again, also when the client starts over", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  await alice.call("PUT", "/_matrix/client/v3/sendToDevice/org.example/one", {
    messages: { [bob.userId]: { [bob.deviceId]: { i: 1 } } },
  });
  const first = await syncAt(server.url, bob);
  assert.equal(first.to_device.events.length, 1);
  await syncAt(server.url, bob, { since: first.next_batch });
  const { rows } = { rows: () => server.ctx.db.log.query("select 1 from log.entries where kind = 'to_device'") };
  await soonFound("what has arrived is deleted", async () => (await rows()).length === 0);
  assert.equal((await syncAt(server.url, bob)).to_device, undefined);
});

test("what was acknowledged comes again neither from an old token nor while it is still being deleted", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  syncPartsOf(server.ctx).deleteArrived = () => new Promise(() => {});
  const before = await syncAt(server.url, bob);
  await alice.call("PUT", "/_matrix/client/v3/sendToDevice/org.example/one", {
    messages: { [bob.userId]: { [bob.deviceId]: { i: 1 } } },
  });
  const first = await syncAt(server.url, bob, { since: before.next_batch });
  const unsure = await syncAt(server.url, bob, { since: before.next_batch });
  assert.deepEqual([first.to_device.events.length, unsure.to_device.events.length], [1, 1]);
  await syncAt(server.url, bob, { since: first.next_batch });
  assert.equal((await syncAt(server.url, bob, { since: before.next_batch })).to_device, undefined);
  assert.equal((await syncAt(server.url, bob)).to_device, undefined);
});

test("a server starts although the newest entries of the log are gone, as to-device messages that arrived are", async () => {
  await using server = await startTestServer();
  const [alice, bob] = await pair(server);
  await alice.call("PUT", "/_matrix/client/v3/sendToDevice/org.example/one", {
    messages: { [bob.userId]: { [bob.deviceId]: { i: 1 } } },
  });
  await server.ctx.db.log.change("delete from log.entries where kind = 'to_device'");
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  assert.equal(second.ctx.log.hub.head(), server.ctx.log.hub.head());
});
