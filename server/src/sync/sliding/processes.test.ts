/** G4: a connection goes on at any process, also when the one before is gone, and misses nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, request, signInPerson } from "../../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { listed, said, slide, slidingPath, stateOf } from "../../../../testkit/src/sliding.ts";
import { createRoom, people, roomOf, roomPath, say } from "../../../../testkit/src/syncing.ts";
import { soonFound } from "../../../../testkit/src/wait.ts";
import { limits } from "../../limits.ts";

/** The same person at another process. */
const at = (server: TestServer, person: Person): Person => ({
  ...person,
  async call(method, path, body) {
    const answer = await request(server.url, method, path, { token: person.token, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  },
});
const rows = async ({ ctx }: TestServer, table: "connections" | "steps") =>
  Number((await ctx.db.sync.one<{ n: number }>(`select count(*)::int as n from sync.${table}`))?.n);

test("two processes that answer by turns, one of which dies, tell every message once and no room twice", async () => {
  await using server = await startTestServer();
  const second = await startTestServer({ databaseUrl: server.databaseUrl });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const rooms = [];
  for (let i = 0; i < 6; i++) rooms.push(await roomOf(alice, bob));
  // Windows that hold half of the rooms: each message brings one in and puts one out.
  const ask = listed({ ranges: [[0, 2]], limit: 50, state: [["m.room.create", ""]] });
  const heard: string[] = [];
  const initial: string[] = [];
  const hear = (answer: Json) => {
    for (const [roomId, room] of Object.entries(answer.rooms as Record<string, Json>)) {
      heard.push(...said(room));
      if (room.initial) initial.push(roomId);
      assert.deepEqual(stateOf(room), room.initial ? ["m.room.create"] : []);
    }
    return answer.pos as string;
  };
  let pos = hear(await slide(bob, ask));
  const sent: string[] = [];
  for (let i = 0; i < 24; i++) {
    if (i === 16) await second.stop();
    const text = `message ${i}`;
    await say(alice, rooms[(i * 5) % 6] as string, text);
    sent.push(text);
    const there = i % 2 === 1 && i < 16 ? at(second, bob) : bob;
    // Every third answer is lost on its way, and asked for again.
    if (i % 3 === 0) await slide(there, ask, { pos });
    pos = hear(await slide(there, ask, { pos }));
  }
  // A process may hear of a message a moment after the one that took it.
  while (heard.length < sent.length) pos = hear(await slide(bob, ask, { pos, timeout: 5_000 }));
  assert.deepEqual(heard.toSorted(), sent.toSorted());
  assert.deepEqual(initial.toSorted(), rooms.toSorted());
  assert.ok((await rows(server, "steps")) <= limits.slidingChain_steps + limits.slidingSiblings_steps + 2);
});

test("a process whose memory begins behind the client's token tells the same from the database", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const ENCRYPTION = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
  const busy = await createRoom(alice, { invite: [bob.userId], initial_state: [ENCRYPTION] });
  const few = await createRoom(alice, { invite: [bob.userId] });
  const quiet = await createRoom(alice, { invite: [bob.userId] });
  for (const each of [busy, few, quiet]) await bob.call("POST", roomPath(each, "join"), {});
  const extensions = Object.fromEntries(
    ["account_data", "receipts", "e2ee", "to_device"].map((name) => [name, { enabled: true }]),
  );
  const state: [string, string][] = [
    ["m.room.topic", ""],
    ["m.room.member", "*"],
  ];
  const ask = listed({ limit: 3, state }, { extensions });
  const first = await slide(bob, ask);
  for (let i = 0; i < 5; i++) await say(alice, busy, `m${i}`);
  const read = await say(alice, few, "one");
  await alice.call("PUT", roomPath(busy, "state/m.room.topic/"), { topic: "away" });
  for (let i = 5; i < 9; i++) await say(alice, busy, `m${i}`);
  await bob.call("POST", roomPath(few, `receipt/m.read/${read}`), {});
  await bob.call("PUT", `/_matrix/client/v3/user/${bob.userId}/account_data/org.example`, { a: 1 });
  await alice.call("PUT", "/_matrix/client/v3/sendToDevice/org.example/1", {
    messages: { [bob.userId]: { [bob.deviceId]: { a: 1 } } },
  });
  const joined = await createRoom(alice, { invite: [bob.userId], initial_state: [ENCRYPTION] });
  await bob.call("POST", roomPath(joined, "join"), {});
  await alice.call("POST", roomPath(quiet, "kick"), { user_id: bob.userId });
  const near = await slide(bob, ask, { pos: first.pos });
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  Object.assign(second.ctx.log.tail, { floor: () => second.ctx.log.hub.head() });
  const away = await slide(at(second, bob), ask, { pos: first.pos });
  const stable = ({ rooms, lists, extensions: { to_device, ...others } }: Json) => ({
    lists,
    others,
    messages: to_device.events,
    rooms: Object.fromEntries(
      Object.entries(rooms as Record<string, Json>).map(([roomId, room]) => [
        roomId,
        { ...room, required_state: stateOf(room) },
      ]),
    ),
  });
  assert.deepEqual(stable(away), stable(near));
  assert.deepEqual(said(near.rooms[busy]), ["m6", "m7", "m8"]);
  assert.deepEqual(stateOf(near.rooms[busy]), ["m.room.topic"]);
});

test("a room that is told anew by one process is not told again by another that puts the steps together", async () => {
  await using server = await startTestServer();
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  const [alice] = (await people(server, "alice")) as [Person];
  const rooms: string[] = [];
  for (let i = 0; i < 3; i++) rooms.push(await createRoom(alice));
  const room_subscriptions = (limit: number) => ({
    [rooms[0] as string]: { timeline_limit: limit, required_state: [] },
  });
  let { pos } = await slide(alice, { room_subscriptions: room_subscriptions(1) });
  // Each answer is one step more, until they are put together into one.
  for (let i = 0; i < limits.slidingChain_steps + 5; i++) {
    const shown = { [rooms[(i % 2) + 1] as string]: { timeline_limit: 1, required_state: [] } };
    const answer = await slide(alice, { room_subscriptions: { ...room_subscriptions(1), ...shown } }, { pos });
    pos = answer.pos;
    assert.deepEqual(Object.keys(answer.rooms), i < 2 ? [rooms[i + 1]] : []);
  }
  const all = Object.fromEntries(rooms.map((roomId) => [roomId, { timeline_limit: 1, required_state: [] }]));
  assert.deepEqual((await slide(at(second, alice), { room_subscriptions: all }, { pos })).rooms, {});
  assert.ok((await rows(server, "steps")) < limits.slidingChain_steps);
});

test("connections of one session stand apart, and are as many as it may have", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  const ask = (conn_id: string) => listed({}, { conn_id });
  const first = await slide(alice, ask("first"));
  const other = await alice.ask("POST", slidingPath({ pos: first.pos }), ask("other"));
  assert.deepEqual([other.status, other.body.errcode], [400, "M_UNKNOWN_POS"]);
  for (let i = 0; i < limits.slidingConnections; i++) assert.ok((await slide(alice, ask(`c${i}`))).rooms[roomId]);
  assert.equal(await rows(server, "connections"), limits.slidingConnections);
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  const gone = await request(second.url, "POST", slidingPath({ pos: first.pos }), {
    token: alice.token,
    body: ask("first"),
  });
  assert.deepEqual([gone.status, gone.body.errcode], [400, "M_UNKNOWN_POS"]);
});

test("a connection without rooms has no row, and goes on everywhere", async () => {
  await using server = await startTestServer();
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  const [alice] = (await people(server, "alice")) as [Person];
  await createRoom(alice);
  const ask = { conn_id: "encryption", extensions: { e2ee: { enabled: true } } };
  const first = await slide(alice, ask);
  assert.deepEqual((await slide(at(second, alice), ask, { pos: first.pos })).rooms, {});
  assert.equal(await rows(server, "connections"), 0);
});

test("what a session had is forgotten with it", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  await createRoom(alice);
  const other = await signInPerson(server.url, "alice");
  for (const each of [alice, other]) await slide(each, listed());
  assert.equal(await rows(server, "connections"), 2);
  await other.call("POST", "/_matrix/client/v3/logout", {});
  await soonFound("what the session had is gone", async () => (await rows(server, "connections")) === 1);
  assert.equal(await rows(server, "steps"), 1);
});
