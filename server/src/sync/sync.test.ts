import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer, untilSyncsWait } from "../../../testkit/src/server.ts";
import { bodies, createRoom, people, roomOf, roomPath, say, sync, SYNC } from "../../../testkit/src/syncing.ts";

test("a sync that waits is answered when a message comes, with that message and nothing else", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  const waiting = sync(bob, { since, timeout: 20_000 });
  await say(alice, roomId, "hello");
  const answer = await waiting;
  assert.deepEqual(Object.keys(answer.rooms), ["join"]);
  assert.deepEqual(bodies(answer.rooms.join[roomId]), ["hello"]);
  assert.equal(answer.rooms.join[roomId].timeline.limited, false);
});

test("a sync with nothing to tell is answered at its timeout, with a token to go on from", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const { next_batch: since } = await sync(alice);
  const answer = await sync(alice, { since, timeout: 50 });
  assert.equal(answer.rooms, undefined);
  assert.deepEqual(
    await sync(alice, { since: answer.next_batch, timeout: 0 }),
    await sync(alice, { since: answer.next_batch, timeout: 0 }),
  );
});

test("a room always comes with its timeline, state and ephemeral events, however empty", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const first = await sync(bob);
  await say(alice, roomId, "hello");
  for (const answer of [first, await sync(bob, { since: first.next_batch })]) {
    const { timeline, state, ephemeral } = answer.rooms.join[roomId];
    assert.deepEqual(ephemeral, { events: [] });
    assert.ok(Array.isArray(state.events));
    assert.deepEqual(Object.keys(timeline).toSorted(), ["events", "limited", "prev_batch"]);
  }
});

test("an unthreaded and a threaded receipt at one event are both told", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(alice, roomId, "root");
  const { next_batch: since } = await sync(bob);
  for (const body of [{}, { thread_id: "main" }])
    await alice.call("POST", roomPath(roomId, `receipt/m.read/${root}`), body);
  for (const query of [{}, { since }]) {
    const { events } = (await sync(bob, query)).rooms.join[roomId].ephemeral;
    const threads = events.map(({ content }: Json) => content[root]["m.read"][alice.userId].thread_id);
    assert.deepEqual(new Set(threads), new Set([undefined, "main"]));
  }
});

test("many messages at once give a limited timeline, its newest, and a token from which the rest can be read", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "in the gap" });
  for (let i = 0; i < 12; i++) await say(alice, roomId, `m${i}`);
  const answer = await sync(bob, { since, filter: { room: { timeline: { limit: 5 } } } });
  const room = answer.rooms.join[roomId];
  assert.deepEqual(bodies(room), ["m7", "m8", "m9", "m10", "m11"]);
  assert.equal(room.timeline.limited, true);
  assert.deepEqual(
    room.state.events.map((event: Json) => event.content.topic),
    ["in the gap"],
  );
  const older = await bob.call("GET", roomPath(roomId, `messages?dir=b&limit=7&from=${room.timeline.prev_batch}`));
  assert.deepEqual(
    older.chunk.map((event: Json) => event.content.body),
    ["m6", "m5", "m4", "m3", "m2", "m1", "m0"],
  );
});

test("G4: a client that was away for longer than memory reaches gets the same as one that was not", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const quiet = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  const eventId = await say(alice, roomId, "while away");
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "away" });
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${eventId}`), {});
  await bob.call("PUT", `/_matrix/client/v3/user/${encodeURIComponent(bob.userId)}/account_data/org.example`, { a: 1 });
  const joined = await createRoom(alice, { invite: [bob.userId] });
  await bob.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(joined)}`, {});
  await alice.call("POST", roomPath(quiet, "kick"), { user_id: bob.userId });
  const fromMemory = await sync(bob, { since });
  // Another process on the same database, whose memory begins behind the client's token.
  await using second = await startTestServer({ databaseUrl: server.databaseUrl });
  const { tail } = second.ctx.log;
  Object.assign(tail, { floor: () => second.ctx.log.hub.head() });
  const fromDatabase = await sync({ ...bob, ...personAt(second.url, bob) }, { since });
  const sorted = (answer: Json) => ({ ...answer, next_batch: "", presence: undefined });
  assert.deepEqual(sorted(fromDatabase), sorted(fromMemory));
});

function personAt(url: string, person: Person): Pick<Person, "call"> {
  return {
    async call(method, path) {
      const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${person.token}` } });
      return answer.json();
    },
  };
}

test("a token of another history epoch gives a first sync, and one that was never given out is refused", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  const { next_batch } = await sync(alice);
  const older = await sync(alice, { since: (next_batch as string).replace("s1_", "s9_") });
  assert.ok(older.rooms.join[roomId].timeline.events.length > 0);
  assert.equal((await alice.ask("GET", `${SYNC}?since=nonsense`)).body.errcode, "M_INVALID_PARAM");
});

test("on a server where nothing has happened yet a sync waits too, and brings the first thing that does", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const first = await sync(alice);
  const waiting = sync(alice, { since: first.next_batch, timeout: 20_000 });
  await untilSyncsWait(server, 1);
  const roomId = await createRoom(alice);
  assert.deepEqual(Object.keys((await waiting).rooms.join), [roomId]);
});

test("G8: a session that ends while it waits for news is told so, and nothing else", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const other = await signInPerson(server.url, "alice");
  const { next_batch: since } = await sync(other);
  const waiting = other.ask("GET", `${SYNC}?since=${since}&timeout=20000`);
  await untilSyncsWait(server, 1);
  await alice.call("POST", "/_matrix/client/v3/logout/all", {});
  assert.equal((await waiting).body.errcode, "M_UNKNOWN_TOKEN");
});

test("a stop answers everybody who waits at once", async () => {
  const server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const { next_batch: since } = await sync(alice);
  const waiting = sync(alice, { since, timeout: 30_000 });
  await untilSyncsWait(server, 1);
  await server.stop();
  assert.ok((await waiting).next_batch);
});
