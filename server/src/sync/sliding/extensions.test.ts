import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, signInPerson } from "../../../../testkit/src/http.ts";
import { oneTimeKeysOf, uploadDevice, V3 } from "../../../../testkit/src/keys.ts";
import { startTestServer, untilSyncsWait } from "../../../../testkit/src/server.ts";
import { listed, slide } from "../../../../testkit/src/sliding.ts";
import { createRoom, people, roomOf, roomPath, say, sync } from "../../../../testkit/src/syncing.ts";
import { limits } from "../../limits.ts";

const on = { enabled: true };
const ENCRYPTION = { algorithm: "m.megolm.v1.aes-sha2" };
const setData = (person: Person, type: string, content: object) =>
  person.call("PUT", `${V3}/user/${person.userId}/account_data/${type}`, content);
const setRoomData = (person: Person, roomId: string, n: number) =>
  person.call("PUT", `${V3}/user/${person.userId}/rooms/${encodeURIComponent(roomId)}/account_data/org.room`, { n });
const sendTo = (sender: Person, to: Person, text: string) =>
  sender.call("PUT", `${V3}/sendToDevice/org.example.test/${text}`, {
    messages: { [to.userId]: { [to.deviceId]: { text } } },
  });
const texts = ({ extensions }: Json) => extensions.to_device.events.map(({ content }: Json) => content.text);

test("without being asked for, no extension answers", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  assert.deepEqual((await slide(alice, { extensions: { e2ee: { enabled: false }, typing: {} } })).extensions, {});
});

test("to-device messages are told until their token comes back, in order and in pages", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  for (const text of ["a", "b", "c"]) await sendTo(alice, bob, text);
  const ask = (more: object) => ({ extensions: { to_device: { ...on, ...more } } });
  const first = await slide(bob, ask({ limit: 2 }));
  assert.deepEqual(texts(first), ["a", "b"]);
  assert.deepEqual(texts(await slide(bob, ask({ limit: 2 }), { pos: first.pos })), ["a", "b"]);
  const since = first.extensions.to_device.next_batch;
  const second = await slide(bob, ask({ since }), { pos: first.pos });
  assert.deepEqual(texts(second), ["c"]);
  const next = second.extensions.to_device.next_batch;
  const waiting = slide(bob, ask({ since: next }), { pos: second.pos, timeout: 20_000 });
  await sendTo(alice, bob, "d");
  assert.deepEqual(texts(await waiting), ["d"]);
  // What was acknowledged is gone, also for who begins anew.
  assert.deepEqual(texts(await slide(bob, ask({}))), ["d"]);
});

test("account data: all of it at first, and then what changed; of rooms in the window", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const one = await createRoom(alice);
  const two = await createRoom(alice);
  await setData(alice, "org.a", { n: 1 });
  for (const each of [one, two]) await setRoomData(alice, each, 1);
  const ask = listed({ ranges: [[0, 0]] }, { extensions: { account_data: on } });
  const first = await slide(alice, ask);
  const global = (answer: Json) => answer.extensions.account_data.global.map(({ type }: Json) => type).toSorted();
  assert.deepEqual(global(first), ["m.push_rules", "org.a"]);
  const data = (n: number) => [{ type: "org.room", content: { n } }];
  assert.deepEqual(first.extensions.account_data.rooms, { [two]: data(1) });
  await setData(alice, "org.a", { n: 2 });
  await setRoomData(alice, two, 2);
  await setRoomData(alice, one, 2);
  const second = await slide(alice, ask, { pos: first.pos });
  assert.deepEqual(second.extensions.account_data, {
    global: [{ type: "org.a", content: { n: 2 } }],
    rooms: { [two]: data(2) },
  });
  await say(alice, one, "up");
  const third = await slide(alice, ask, { pos: second.pos });
  assert.deepEqual(third.extensions.account_data.rooms, { [one]: data(2) });
  // Two is out of the window; what changed there is told when it is back.
  await setRoomData(alice, two, 3);
  const fourth = await slide(alice, ask, { pos: third.pos });
  assert.deepEqual(fourth.extensions.account_data, { global: [], rooms: {} });
  await say(alice, two, "up");
  const fifth = await slide(alice, ask, { pos: fourth.pos });
  assert.deepEqual(fifth.extensions.account_data.rooms, { [two]: data(3) });
});

test("extensions are about the lists and subscriptions that they name", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const listedRoom = await createRoom(alice);
  const spaceRoom = await createRoom(alice, { creation_content: { type: "m.space" } });
  const list = (filters: object) => ({ ranges: [[0, 9]], timeline_limit: 0, required_state: [], filters });
  for (const each of [listedRoom, spaceRoom]) await setRoomData(alice, each, 1);
  const rooms = async (account_data: object) => {
    const lists = { rooms: list({ room_types: [null] }), none: list({ is_dm: true }) };
    const room_subscriptions = { [spaceRoom]: { timeline_limit: 0, required_state: [] } };
    const answer = await slide(alice, {
      lists,
      room_subscriptions,
      extensions: { account_data: { ...on, ...account_data } },
    });
    return Object.keys(answer.extensions.account_data.rooms).toSorted();
  };
  const both = [listedRoom, spaceRoom].toSorted();
  assert.deepEqual(await rooms({}), both);
  assert.deepEqual(await rooms({ lists: ["*"], rooms: ["*"] }), both);
  assert.deepEqual(await rooms({ lists: ["rooms"], rooms: [] }), [listedRoom]);
  assert.deepEqual(await rooms({ lists: ["none"], rooms: [spaceRoom] }), [spaceRoom]);
  assert.deepEqual(await rooms({ lists: [], rooms: [listedRoom] }), []);
});

test("receipts: of the events that are shown and the reader's own at first, and then each; private ones for their reader alone", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob, carol);
  const old = await say(alice, roomId, "old");
  const mid = await say(alice, roomId, "mid");
  const shown = await say(alice, roomId, "shown");
  const read = (person: Person, eventId: string, type = "m.read") =>
    person.call("POST", roomPath(roomId, `receipt/${type}/${eventId}`), {});
  await read(bob, old);
  await read(carol, shown);
  const ask = listed({}, { extensions: { receipts: on } });
  const content = (answer: Json) =>
    Object.fromEntries(
      Object.entries((answer.extensions.receipts.rooms[roomId]?.content ?? {}) as Record<string, Json>).map(
        ([eventId, types]) => [
          eventId,
          Object.entries(types).map(([type, each]) => `${type} ${Object.keys(each as Json)}`),
        ],
      ),
    );
  const first = await slide(alice, ask);
  assert.deepEqual(content(first), { [shown]: [`m.read ${carol.userId}`] });
  assert.equal(first.extensions.receipts.rooms[roomId].type, "m.receipt");
  assert.deepEqual(content(await slide(bob, ask)), {
    [old]: [`m.read ${bob.userId}`],
    [shown]: [`m.read ${carol.userId}`],
  });
  await read(bob, mid, "m.read.private");
  const second = await slide(alice, ask, { pos: first.pos });
  assert.deepEqual(second.extensions.receipts.rooms, {});
  const waiting = slide(alice, ask, { pos: second.pos, timeout: 20_000 });
  await read(bob, shown);
  assert.deepEqual(content(await waiting), { [shown]: [`m.read ${bob.userId}`] });
  assert.deepEqual((await waiting).rooms, {});
});

test("that a person has read on elsewhere changes the counts at once", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(alice, roomId, `hello ${bob.userId}`);
  await say(alice, roomId, { body: "in a thread", "m.relates_to": { rel_type: "m.thread", event_id: root } });
  const first = await slide(bob, listed());
  const { notification_count, unread_thread_notifications } = first.rooms[roomId];
  assert.equal(notification_count, 1);
  assert.deepEqual(unread_thread_notifications, { [root]: { notification_count: 1, highlight_count: 0 } });
  const waiting = slide(bob, listed(), { pos: first.pos, timeout: 20_000 });
  const last = await say(alice, roomId, "more");
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${last}`), {});
  const second = await waiting;
  const third = await slide(bob, listed(), { pos: second.pos, timeout: 20_000 });
  const room = third.rooms[roomId] ?? second.rooms[roomId];
  assert.equal(room.notification_count, 0);
});

test("typing is told in rooms that are shown and joined, and that it ended", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await createRoom(alice, { invite: [bob.userId, carol.userId] });
  await bob.call("POST", roomPath(roomId, "join"), {});
  const ask = listed({}, { extensions: { typing: on } });
  const first = await slide(bob, ask);
  const type = (typing: boolean) =>
    alice.call("PUT", roomPath(roomId, `typing/${alice.userId}`), typing ? { typing, timeout: 30_000 } : { typing });
  const waiting = slide(bob, ask, { pos: first.pos, timeout: 20_000 });
  await type(true);
  const second = await waiting;
  const typing = (...user_ids: string[]) => ({ [roomId]: { type: "m.typing", content: { user_ids } } });
  assert.deepEqual(second.extensions.typing.rooms, typing(alice.userId));
  assert.deepEqual((await slide(carol, ask)).extensions.typing.rooms, {});
  assert.deepEqual((await slide(bob, ask)).extensions.typing.rooms, typing(alice.userId));
  const ended = slide(bob, ask, { pos: second.pos, timeout: 20_000 });
  await type(false);
  assert.deepEqual((await ended).extensions.typing.rooms, typing());
});

/** Every answer tells what GET /sync tells of the same stretch. */
test("device lists: who changed, came or left, of whom a room is shared, as /sync tells it", async (t) => {
  const changing: { keysWithoutEncryption_members: number } = limits;
  t.mock.property(changing, "keysWithoutEncryption_members", 2);
  await using server = await startTestServer();
  const [alice, bob, carol, dave, erin] = (await people(server, "alice", "bob", "carol", "dave", "erin")) as [
    Person,
    Person,
    Person,
    Person,
    Person,
  ];
  const roomId = await roomOf(alice, bob);
  await alice.call("PUT", roomPath(roomId, "state/m.room.encryption/"), ENCRYPTION);
  const small = await roomOf(alice, dave);
  await roomOf(alice, erin, carol);
  const ask = { extensions: { e2ee: on } };
  const first = await slide(alice, ask);
  assert.equal(first.extensions.e2ee.device_lists, undefined);
  assert.deepEqual(first.extensions.e2ee.device_unused_fallback_key_types, []);
  let { pos } = first;
  let since = (await sync(alice)).next_batch;
  const told = async (timeout = 20_000) => {
    const answer = await slide(alice, ask, { pos, timeout });
    const synced = await sync(alice, { since, timeout: 0 });
    [pos, since] = [answer.pos, synced.next_batch];
    const { changed = [], left = [] } = answer.extensions.e2ee.device_lists ?? {};
    const sets = [new Set(changed), new Set(left)];
    const { device_lists: lists } = synced;
    assert.deepEqual(sets, [new Set(lists?.changed), new Set(lists?.left)]);
    return { changed, left };
  };
  const waiting = told();
  // In a large room without encryption nobody is told.
  await uploadDevice(erin);
  await uploadDevice(bob);
  assert.deepEqual(await waiting, { changed: [bob.userId], left: [] });
  await uploadDevice(dave);
  assert.deepEqual(await told(), { changed: [dave.userId], left: [] });
  await alice.call("POST", roomPath(roomId, "invite"), { user_id: carol.userId });
  await carol.call("POST", roomPath(roomId, "join"), {});
  assert.deepEqual(await told(), { changed: [carol.userId], left: [] });
  await carol.call("POST", roomPath(roomId, "leave"), {});
  assert.deepEqual(await told(), { changed: [], left: [carol.userId] });
  // A new name is no new device.
  for (const each of [alice, bob])
    await each.call("PUT", `${V3}/profile/${each.userId}/displayname`, { displayname: "another" });
  assert.deepEqual(await told(0), { changed: [], left: [] });
  await alice.call("POST", roomPath(roomId, "leave"), {});
  assert.deepEqual(await told(), { changed: [], left: [bob.userId] });
  await dave.call("POST", roomPath(small, "leave"), {});
  assert.deepEqual(await told(), { changed: [], left: [dave.userId] });
});

test("receipts of a person at one event: the one that says the most, whatever their order", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const ask = listed({}, { extensions: { receipts: on } });
  let { pos } = await slide(bob, ask);
  const wanted = [
    ["$root", "main"],
    ["main", "$root"],
    ["main", undefined],
    [undefined, "main"],
  ] as const;
  for (const [first, second] of wanted) {
    const root = await say(alice, roomId, "root");
    await say(alice, roomId, { body: "in the thread", "m.relates_to": { rel_type: "m.thread", event_id: root } });
    for (const thread of [first, second]) {
      const body = thread === undefined ? {} : { thread_id: thread === "$root" ? root : thread };
      await alice.call("POST", roomPath(roomId, `receipt/m.read/${root}`), body);
      await alice.call("POST", roomPath(roomId, `receipt/m.read.private/${root}`), body);
    }
    const most = [first, second].includes(undefined) ? undefined : "main";
    const answer = await slide(bob, ask, { pos });
    ({ pos } = answer);
    for (const each of [
      answer,
      await slide(bob, listed({ limit: 20 }, { extensions: { receipts: on }, conn_id: "other" })),
    ]) {
      const at = each.extensions.receipts.rooms[roomId].content[root];
      assert.deepEqual(at["m.read"][alice.userId].thread_id, most);
      // Nobody else learns what is private.
      assert.equal(at["m.read.private"], undefined);
    }
    const own = await slide(alice, ask);
    const at = own.extensions.receipts.rooms[roomId].content[root];
    for (const type of ["m.read", "m.read.private"]) assert.equal(at[type][alice.userId].thread_id, most);
  }
});

test("the counts of keys are told always, and a change of them ends a wait", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  await uploadDevice(alice);
  await alice.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(alice, 2) });
  const ask = { conn_id: "encryption", extensions: { e2ee: on } };
  const first = await slide(alice, ask);
  assert.deepEqual(first.extensions.e2ee.device_one_time_keys_count, { signed_curve25519: 2 });
  const waiting = slide(alice, ask, { pos: first.pos, timeout: 20_000 });
  await bob.call("POST", `${V3}/keys/claim`, {
    one_time_keys: { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } },
  });
  assert.deepEqual((await waiting).extensions.e2ee.device_one_time_keys_count, { signed_curve25519: 1 });
});

test("G8: a session that ends while it waits is told so, and nothing else", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const other = await signInPerson(server.url, "alice");
  const first = await slide(other, listed());
  const waiting = other.ask(
    "POST",
    `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=20000&pos=${first.pos}`,
    listed(),
  );
  await untilSyncsWait(server, 1);
  await other.call("POST", `${V3}/logout`, {});
  const { status, body } = await waiting;
  assert.deepEqual([status, body.errcode], [401, "M_UNKNOWN_TOKEN"]);
  assert.ok(alice);
});
