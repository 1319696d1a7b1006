import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

async function newRoom(): Promise<TestRoom> {
  const room = await createRoom(alice);
  await room.change(bob, "join");
  return room;
}

async function read(room: TestRoom, who: Person, filter?: object): Promise<Json[]> {
  return (await room.read(who, "messages", { dir: "f", limit: 100, filter })).chunk;
}

const textsOf = (events: readonly Json[]): string[] => events.map((event) => event.content.body).filter(Boolean);

test("an event comes with its room, one's membership at its time, and one's own transaction id", async () => {
  const room = await newRoom();
  await alice.call("PUT", `${room.path}/send/m.room.message/mine`, { msgtype: "m.text", body: "hello" });
  const [own] = (await read(room, alice)).slice(-1);
  assert.equal(own.room_id, room.id);
  assert.equal(own.unsigned.transaction_id, "mine");
  assert.equal(own.unsigned.membership, "join");
  const foreign = await read(room, bob);
  assert.equal(foreign.at(-1).unsigned.transaction_id, undefined);
  assert.equal(foreign.find((event) => event.type === "m.room.create").unsigned.membership, "leave");
});

test("a filter lets through what it says: types, senders, what has a url", async () => {
  const room = await newRoom();
  await room.say(alice, "from alice");
  await room.say(bob, "from bob");
  await room.send(bob, { msgtype: "m.file", body: "a file", url: "mxc://localhost/x" });
  await room.send(bob, { body: "other" }, "org.example.other");
  const texts = async (filter: object) => textsOf(await read(room, alice, filter));
  assert.deepEqual(await texts({ types: ["m.room.message"] }), ["from alice", "from bob", "a file"]);
  assert.deepEqual(await texts({ types: ["org.*"] }), ["other"]);
  assert.deepEqual(await texts({ not_types: ["m.room.*"] }), ["other"]);
  assert.deepEqual(await texts({ senders: [alice.userId] }), ["from alice"]);
  assert.deepEqual(await texts({ not_senders: [alice.userId], contains_url: false }), ["from bob", "other"]);
  assert.deepEqual(await texts({ contains_url: true }), ["a file"]);
  assert.deepEqual(await texts({ not_rooms: [room.id] }), []);
  assert.equal((await read(room, alice, { limit: 2 })).length, 2);
});

test("members who are loaded lazily are those who speak, as they were when they did", async () => {
  const room = await newRoom();
  await room.say(bob, "as bob");
  const first = await room.read(alice, "messages", { dir: "b", limit: 1, filter: { lazy_load_members: true } });
  await bob.call("PUT", `${CLIENT}/profile/${bob.userId}/displayname`, { displayname: "Robert" });
  await room.say(bob, "as robert");
  const names = async (query: object) => {
    const filter = { lazy_load_members: true, types: ["m.room.message"] };
    const { state } = await room.read(alice, "messages", { dir: "b", filter, ...query });
    return state.map((event: Json) => [event.state_key, event.content.displayname]);
  };
  assert.deepEqual(await names({ limit: 1 }), [[bob.userId, "Robert"]]);
  assert.deepEqual(await names({ limit: 1, from: first.start }), [[bob.userId, "bob"]]);
  assert.equal((await room.read(alice, "messages", { dir: "b" })).state, undefined);
});

test("who left is told of the speakers as they were until then", async () => {
  const room = await newRoom();
  await room.say(alice, "hello");
  await room.change(bob, "leave");
  await alice.call("PUT", `${CLIENT}/profile/${alice.userId}/displayname`, { displayname: "Secret Name" });
  const page = await room.read(bob, "messages", { dir: "b", filter: { lazy_load_members: true } });
  assert.ok(!JSON.stringify(page).includes("Secret Name"));
  assert.ok(page.state.some((event: Json) => event.state_key === alice.userId));
  await alice.call("PUT", `${CLIENT}/profile/${alice.userId}/displayname`, { displayname: "" });
});

test("of somebody who is ignored only state comes", async () => {
  const room = await newRoom();
  const carol = await registerPerson(server.url, "carol");
  await room.change(carol, "join");
  await room.say(bob, "from bob");
  const id = await room.say(alice, "from alice");
  const list = { ignored_users: { [bob.userId]: {} } };
  await carol.call("PUT", `${CLIENT}/user/${carol.userId}/account_data/m.ignored_user_list`, list);
  const events = await read(room, carol);
  assert.deepEqual(textsOf(events), ["from alice"]);
  assert.ok(events.some((event) => event.type === "m.room.member" && event.sender === bob.userId));
  const context = await room.read(carol, `context/${id}`);
  assert.ok(!textsOf(context.events_before).includes("from bob"));
  assert.deepEqual(textsOf(await read(room, alice)), ["from bob", "from alice"]);
});

test("a redacted event comes without its content and says why", async () => {
  const room = await newRoom();
  const id = await room.say(alice, "gone");
  const redaction = await room.redact(alice, id);
  const event = (await read(room, bob)).find((each) => each.event_id === id);
  assert.deepEqual(event.content, {});
  assert.equal(event.unsigned.redacted_because.event_id, redaction);
  assert.ok(!JSON.stringify(await room.read(bob, `context/${redaction}`)).includes("gone"));
});

test("a parameter that is empty is as one that is not there", async () => {
  const room = await newRoom();
  await room.say(alice, "hello");
  const first = await alice.call("GET", `${room.path}/messages?dir=b&from=&to=&filter=&limit=`);
  assert.deepEqual(first, await alice.call("GET", `${room.path}/messages?dir=b`));
  const { status, body } = await alice.ask("GET", `${room.path}/messages?dir=&from=`);
  assert.deepEqual([status, body.errcode], [400, "M_MISSING_PARAM"]);
});
