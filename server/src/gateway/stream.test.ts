/** The stream tells what /sync would tell: the same content, once, in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { eventsIn, openStream, type StreamClient, untilEvent } from "../../../testkit/src/stream.ts";
import { syncPartsOf } from "../sync/parts.ts";
import { roomPart } from "./room-part.ts";

const SYNC = "/_matrix/client/v3/sync";
const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
let txn = 0;

async function people(server: TestServer, ...names: string[]): Promise<Person[]> {
  return Promise.all(names.map((name) => registerPerson(server.url, name)));
}

/** A room with everybody in it. */
async function roomOf(first: Person, ...others: Person[]): Promise<string> {
  const invite = others.map((each) => each.userId);
  const { room_id } = await first.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", invite });
  for (const each of others) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(room_id)}`, {});
  return room_id as string;
}

async function say(person: Person, roomId: string, body: string): Promise<string> {
  const path = roomPath(roomId, `send/m.room.message/t${++txn}`);
  return (await person.call("PUT", path, { msgtype: "m.text", body })).event_id as string;
}

const sync = (person: Person, since?: string): Promise<Json> =>
  person.call("GET", since === undefined ? SYNC : `${SYNC}?since=${since}`);

test("a message reaches everybody who streams, as the answer that /sync would have given", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  using stream = await openStream(server.url, bob, { since });
  const frame = await untilEvent(stream, roomId, await say(alice, roomId, "hello"));
  const { next_batch, ...told } = frame.sync;
  const { next_batch: _token, ...answered } = await sync(bob, since);
  assert.deepEqual(told, answered);
  assert.deepEqual(await sync(bob, next_batch).then(({ rooms }) => rooms), undefined);
  assert.equal(eventsIn(stream.frames, roomId).length, 1);
});

test("the sender's session gets its transaction id, another of the same person does not", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const phone = await signInPerson(server.url, "alice");
  const roomId = await roomOf(alice);
  using sender = await openStream(server.url, alice, { since: (await sync(alice)).next_batch });
  using other = await openStream(server.url, phone, { since: (await sync(phone)).next_batch });
  const eventId = await say(alice, roomId, "mine");
  await untilEvent(sender, roomId, eventId);
  await untilEvent(other, roomId, eventId);
  assert.equal(eventsIn(sender.frames, roomId)[0].unsigned.transaction_id, `t${txn}`);
  assert.equal(eventsIn(other.frames, roomId)[0].unsigned.transaction_id, undefined);
});

test("unread counts are each reader's own, also where the messages are told to all alike", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob, carol);
  const first = await say(alice, roomId, "one");
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${first}`), {});
  using bobs = await openStream(server.url, bob, { since: (await sync(bob)).next_batch });
  using carols = await openStream(server.url, carol, { since: (await sync(carol)).next_batch });
  const eventId = await say(alice, roomId, "two");
  const count = async (stream: StreamClient) =>
    (await untilEvent(stream, roomId, eventId)).sync.rooms.join[roomId].unread_notifications.notification_count;
  assert.deepEqual([await count(bobs), await count(carols)], [1, 2]);
});

test("an unthreaded and a threaded receipt at one event are both told", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const room = await server.ctx.rooms.load(roomId);
  const root = await say(alice, roomId, "root");
  const since = server.ctx.log.hub.head();
  for (const body of [{}, { thread_id: "main" }])
    await alice.call("POST", roomPath(roomId, `receipt/m.read/${root}`), body);
  const part = roomPart(server.ctx, room, { since, seen: 0, stateSection: "state" });
  assert.ok(part && part !== "own");
  const { [roomId]: told } = JSON.parse(`{${part.json()}}}`);
  const threads = told.ephemeral.events.map(({ content }: Json) => content[root]["m.read"][alice.userId].thread_id);
  assert.deepEqual(threads, [undefined, "main"]);
});

test("a client that loads members lazily is told of each speaker once", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const filter = { room: { state: { lazy_load_members: true } } };
  using stream = await openStream(server.url, bob, { since: (await sync(bob)).next_batch, filter });
  const members = async (body: string) =>
    (await untilEvent(stream, roomId, await say(alice, roomId, body))).sync.rooms.join[roomId].state.events.map(
      (event: Json) => event.state_key,
    );
  assert.deepEqual([await members("one"), await members("two")], [[alice.userId], []]);
  // Also where nobody remembers what the client has, all are told alike.
  server.ctx.metrics.streamFrames.reset();
  syncPartsOf(server.ctx).lazyMembers.clear();
  assert.deepEqual([await members("three"), await members("four")], [[alice.userId], []]);
  const { values } = await server.ctx.metrics.streamFrames.get();
  assert.deepEqual(
    values.map(({ labels, value }) => [labels.made, value]),
    [["shared", 2]],
  );
});

test("typing, receipts and presence are told, and an ignored person is not heard", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob, carol);
  const ignoring = { ignored_users: { [carol.userId]: {} } };
  await bob.call("PUT", `/_matrix/client/v3/user/${bob.userId}/account_data/m.ignored_user_list`, ignoring);
  using stream = await openStream(server.url, bob, { since: (await sync(bob)).next_batch });
  const ephemeral = (type: string) =>
    stream.until((frame) =>
      frame.sync?.rooms?.join?.[roomId]?.ephemeral?.events.some((event: Json) => event.type === type),
    );
  await alice.call("PUT", roomPath(roomId, `typing/${alice.userId}`), { typing: true });
  await ephemeral("m.typing");
  const hidden = await say(carol, roomId, "not for bob");
  const eventId = await say(alice, roomId, "for bob");
  await untilEvent(stream, roomId, eventId);
  await carol.call("POST", roomPath(roomId, `receipt/m.read/${eventId}`), {});
  await ephemeral("m.receipt");
  const presence = { presence: "unavailable", status_msg: "at lunch" };
  await alice.call("PUT", `/_matrix/client/v3/presence/${alice.userId}/status`, presence);
  await stream.until((frame) =>
    frame.sync?.presence?.events.some((event: Json) => event.content.status_msg === "at lunch"),
  );
  assert.deepEqual(
    eventsIn(stream.frames, roomId).filter((event) => event.event_id === hidden),
    [],
  );
});

test("a message to a device comes again until it is acknowledged, and never after that", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const { next_batch: since } = await sync(bob);
  const messages = { [bob.userId]: { [bob.deviceId]: { hello: 1 } } };
  await alice.call("PUT", "/_matrix/client/v3/sendToDevice/m.test/1", { messages });
  const hasMessage = (frame: Json) => frame.sync?.to_device?.events.length === 1;
  {
    using first = await openStream(server.url, bob, { since });
    await first.until(hasMessage);
  }
  using second = await openStream(server.url, bob, { since });
  const { sync: told } = await second.until(hasMessage);
  second.send({ type: "ack", since: told.next_batch });
  second.send({ type: "ping" });
  const left = async () =>
    (await server.ctx.db.log.one<{ n: number }>("select count(*)::int as n from log.entries where kind = 'to_device'"))
      ?.n;
  for (let looks = 0; (await left()) !== 0; looks++) assert.ok(looks < 1_000, "the message is still there");
  assert.equal((await sync(bob)).to_device, undefined);
});

test("without a token the first frame is an initial sync", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await roomOf(alice);
  using stream = await openStream(server.url, alice);
  const { sync: told } = await stream.until((frame) => frame.type === "sync");
  const { next_batch: _token, ...answered } = await sync(alice);
  assert.deepEqual(Object.keys(told.rooms.join), [roomId]);
  const { next_batch: _other, ...content } = told;
  assert.deepEqual(content.rooms, answered.rooms);
});
