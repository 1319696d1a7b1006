import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";

const SYNC = "/_matrix/client/v3/sync";

interface Asked {
  since?: string;
  timeout?: number;
  filter?: object;
  [more: string]: unknown;
}

function sync(person: Person, { filter, ...asked }: Asked = {}): Promise<Json> {
  const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]));
  if (filter) query.set("filter", JSON.stringify(filter));
  return person.call("GET", `${SYNC}?${query}`);
}

async function people(server: TestServer, ...names: string[]): Promise<Person[]> {
  return Promise.all(names.map((name) => registerPerson(server.url, name)));
}

async function createRoom(person: Person, body: object = {}): Promise<string> {
  return (await person.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", ...body }))
    .room_id as string;
}

const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
let txn = 0;
async function say(
  person: Person,
  roomId: string,
  message: string | { body: string; [more: string]: unknown },
): Promise<string> {
  const content = { msgtype: "m.text", ...(typeof message === "string" ? { body: message } : message) };
  return (await person.call("PUT", roomPath(roomId, `send/m.room.message/t${++txn}`), content)).event_id as string;
}
const bodies = (room: Json): string[] =>
  room.timeline.events
    .filter((event: Json) => event.type === "m.room.message")
    .map((event: Json) => event.content.body);

/** Whose memberships a section tells. */
const membersIn = (section: Json): string[] =>
  section.events
    .filter((event: Json) => event.type === "m.room.member")
    .map((event: Json) => event.state_key)
    .toSorted();

/** A room with everybody in it. */
async function roomOf(first: Person, ...others: Person[]): Promise<string> {
  const roomId = await createRoom(first, { invite: others.map((each) => each.userId) });
  for (const each of others) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  return roomId;
}

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

test("unread counts follow the push rules, mentions are highlights, and a receipt ends them", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  let { next_batch: since } = await sync(bob);
  await say(alice, roomId, "one");
  const last = await say(alice, roomId, { body: "two", "m.mentions": { user_ids: [bob.userId] } });
  const counts = (answer: Json) => answer.rooms.join[roomId].unread_notifications;
  const unread = await sync(bob, { since });
  assert.deepEqual(counts(unread), { notification_count: 2, highlight_count: 1 });
  assert.deepEqual(
    counts(await sync(bob)),
    { notification_count: 2, highlight_count: 1 },
    "counted from the log it is the same",
  );
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${last}`), {});
  const read = await sync(bob, { since: unread.next_batch });
  assert.deepEqual(counts(read), { notification_count: 0, highlight_count: 0 });
  since = read.next_batch;
  await bob.call("PUT", `/_matrix/client/v3/pushrules/global/room/${encodeURIComponent(roomId)}`, { actions: [] });
  await say(alice, roomId, "muted");
  const muted = await sync(bob, { since });
  assert.deepEqual(counts(muted), { notification_count: 0, highlight_count: 0 });
  assert.equal(muted.account_data.events[0].content.global.room[0].rule_id, roomId);
  assert.deepEqual(
    counts(await sync(alice)),
    { notification_count: 0, highlight_count: 0 },
    "one's own messages are read",
  );
});

test("threads are counted apart where the client asks for it, and together where it does not", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(bob, roomId, "root");
  const { next_batch: since } = await sync(bob);
  const reply = await say(alice, roomId, {
    body: "in the thread",
    "m.relates_to": { rel_type: "m.thread", event_id: root },
  });
  await say(alice, roomId, "outside");
  const filter = { room: { timeline: { unread_thread_notifications: true } } };
  const apart = (await sync(bob, { since, filter })).rooms.join[roomId];
  assert.equal(apart.unread_notifications.notification_count, 1);
  assert.equal(apart.unread_thread_notifications[root].notification_count, 1);
  assert.equal((await sync(bob, { since })).rooms.join[roomId].unread_notifications.notification_count, 2);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${reply}`), { thread_id: root });
  const after = (await sync(bob, { since, filter })).rooms.join[roomId];
  assert.equal(after.unread_notifications.notification_count, 1);
  assert.deepEqual(after.unread_thread_notifications, {});
});

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
  while ((await server.ctx.metrics.syncWaiting.get()).values[0]?.value !== 1) await new Promise(setImmediate);
  const roomId = await createRoom(alice);
  assert.deepEqual(Object.keys((await waiting).rooms.join), [roomId]);
});

test("G8: a session that ends while it waits for news is told so, and nothing else", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const other = await signInPerson(server.url, "alice");
  const { next_batch: since } = await sync(other);
  const waiting = other.ask("GET", `${SYNC}?since=${since}&timeout=20000`);
  while ((await server.ctx.metrics.syncWaiting.get()).values[0]?.value !== 1) await new Promise(setImmediate);
  await alice.call("POST", "/_matrix/client/v3/logout/all", {});
  assert.equal((await waiting).body.errcode, "M_UNKNOWN_TOKEN");
});

test("a stop answers everybody who waits at once", async () => {
  const server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const { next_batch: since } = await sync(alice);
  const waiting = sync(alice, { since, timeout: 30_000 });
  while ((await server.ctx.metrics.syncWaiting.get()).values[0]?.value !== 1) await new Promise(setImmediate);
  await server.stop();
  assert.ok((await waiting).next_batch);
});
