/** The endpoints of before /sync. Every answer is checked against its schema by `call`. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const server = await startTestServer();
after(() => server.stop());
const CLIENT = "/_matrix/client/v3";

let sent = 0;
const say = async (person: Person, room: string, body: string): Promise<string> =>
  (await person.call("PUT", `${CLIENT}/rooms/${room}/send/m.room.message/${++sent}`, { msgtype: "m.text", body }))
    .event_id;
const makeRoom = async (person: Person, body: object = {}): Promise<string> =>
  (await person.call("POST", `${CLIENT}/createRoom`, body)).room_id;
const bodies = (chunk: Json[]) => chunk.flatMap(({ content }) => content.body ?? []);

test("initialSync tells rooms, invitations and what was left, and events goes on from its end", async () => {
  const alice = await registerPerson(server.url, "alice");
  const bob = await registerPerson(server.url, "bob");
  const room = await makeRoom(alice, { preset: "public_chat", visibility: "public", invite: [bob.userId] });
  const left = await makeRoom(alice);
  await say(alice, left, "before leaving");
  await alice.call("POST", `${CLIENT}/rooms/${left}/leave`, {});
  for (const body of ["one", "two", "three"]) await say(alice, room, body);

  const first = await alice.call("GET", `${CLIENT}/initialSync?limit=2`);
  assert.deepEqual(
    first.rooms.map((each: Json) => [each.room_id, each.membership, each.visibility]),
    [[room, "join", "public"]],
  );
  assert.deepEqual(bodies(first.rooms[0].messages.chunk), ["two", "three"]);
  assert.ok(first.rooms[0].state.some(({ type }: Json) => type === "m.room.create"));
  const archived = await alice.call("GET", `${CLIENT}/initialSync?archived=true`);
  assert.deepEqual(archived.rooms.map((each: Json) => each.membership).toSorted(), ["join", "leave"]);
  const invited = await bob.call("GET", `${CLIENT}/initialSync`);
  assert.deepEqual([invited.rooms[0].membership, invited.rooms[0].invite.state_key], ["invite", bob.userId]);

  const waiting = alice.call("GET", `${CLIENT}/events?from=${first.end}&timeout=30000`);
  await say(alice, room, "four");
  const next = await waiting;
  assert.deepEqual([next.start, bodies(next.chunk)], [first.end, ["four"]]);
  assert.equal(next.chunk[0].room_id, room);
  assert.deepEqual((await alice.call("GET", `${CLIENT}/events?from=${next.end}&timeout=0`)).chunk, []);
});

test("events tells of an invitation, and refuses a token that is none", async () => {
  const cleo = await registerPerson(server.url, "cleo");
  const dan = await registerPerson(server.url, "dan");
  const waiting = dan.call("GET", `${CLIENT}/events?timeout=30000`);
  const poll = dan.call("GET", `${CLIENT}/events?timeout=0`);
  assert.deepEqual((await poll).chunk, []);
  const room = await makeRoom(cleo, { invite: [dan.userId] });
  const { chunk } = await waiting;
  assert.deepEqual([chunk[0].room_id, chunk[0].content.membership], [room, "invite"]);
  assert.equal((await dan.ask("GET", `${CLIENT}/events?from=nonsense`)).status, 400);
});

/** Asks /events again and again from a token on, until an event of each of the types was told. */
async function gatherTypes(person: Person, from: string, types: readonly string[]): Promise<Json[]> {
  const told = new Map<string, Json>();
  for (let at = from; told.size < types.length;) {
    const { chunk, end } = await person.call("GET", `${CLIENT}/events?from=${at}&timeout=30000`);
    for (const event of chunk) if (types.includes(event.type)) told.set(event.type, event);
    at = end;
  }
  return types.map((type) => told.get(type));
}

test("events tells of presence, typing, receipts and account data besides; what is of a room says of which", async () => {
  const lea = await registerPerson(server.url, "lea");
  const mia = await registerPerson(server.url, "mia");
  const stranger = await registerPerson(server.url, "stranger");
  const room = await makeRoom(lea, { preset: "public_chat" });
  await mia.call("POST", `${CLIENT}/join/${room}`, {});
  const event = await say(lea, room, "read me");
  const { end } = await lea.call("GET", `${CLIENT}/initialSync`);
  const outside = await stranger.call("GET", `${CLIENT}/initialSync`);

  const account = `${CLIENT}/user/${lea.userId}`;
  await lea.call("PUT", `${account}/account_data/a.global`, { is: "mine" });
  await lea.call("PUT", `${account}/rooms/${room}/account_data/a.room`, { is: "here" });
  await mia.call("PUT", `${CLIENT}/rooms/${room}/typing/${mia.userId}`, { typing: true, timeout: 30000 });
  await mia.call("POST", `${CLIENT}/rooms/${room}/receipt/m.read/${encodeURIComponent(event)}`, {});
  await mia.call("PUT", `${CLIENT}/presence/${mia.userId}/status`, { presence: "unavailable", status_msg: "at lunch" });
  const types = ["a.global", "a.room", "m.typing", "m.receipt", "m.presence"];
  const [global, own, typing, receipt, presence] = await gatherTypes(lea, end, types);
  assert.deepEqual([global.content, global.room_id], [{ is: "mine" }, undefined]);
  assert.deepEqual([own.content, own.room_id], [{ is: "here" }, room]);
  assert.deepEqual([typing.content.user_ids, typing.room_id], [[mia.userId], room]);
  assert.ok(receipt.content[event]["m.read"][mia.userId].ts > 0);
  assert.equal(receipt.room_id, room);
  const { user_id, status_msg } = presence.content;
  assert.deepEqual([user_id, presence.content.presence, status_msg], [mia.userId, "unavailable", "at lunch"]);

  const { chunk } = await stranger.call("GET", `${CLIENT}/events?from=${outside.end}&timeout=0`);
  assert.deepEqual(chunk, []);
});

test("whoever follows by the old endpoints is online, and idle where they said so; both are told with receipts", async () => {
  const nora = await registerPerson(server.url, "nora");
  const otto = await registerPerson(server.url, "otto");
  const room = await makeRoom(nora, { preset: "public_chat" });
  await otto.call("POST", `${CLIENT}/join/${room}`, {});
  const event = await say(nora, room, "read me");
  await nora.call("POST", `${CLIENT}/rooms/${room}/receipt/m.read/${encodeURIComponent(event)}`, {});
  await nora.call("PUT", `${CLIENT}/presence/${nora.userId}/status`, { presence: "unavailable" });
  await nora.call("GET", `${CLIENT}/events?timeout=0`);
  await otto.call("PUT", `${CLIENT}/user/${otto.userId}/account_data/a.global`, { is: "mine" });

  const all = await otto.call("GET", `${CLIENT}/initialSync`);
  const one = await otto.call("GET", `${CLIENT}/rooms/${room}/initialSync`);
  for (const { presence, receipts } of [all, one]) {
    const states = presence.map(({ content }: Json) => [content.user_id, content.presence]).toSorted();
    assert.deepEqual(states, [
      [nora.userId, "unavailable"],
      [otto.userId, "online"],
    ]);
    assert.deepEqual(Object.keys(receipts[0].content[event]["m.read"]), [nora.userId]);
    assert.equal(receipts[0].room_id, room);
  }
  // Of what the server keeps of everybody, as the rules of pushing, nothing is here.
  assert.deepEqual(all.account_data, [{ type: "a.global", content: { is: "mine" } }]);
});

test("to-device messages wait for /sync, whatever the old endpoints are asked", async () => {
  const emil = await registerPerson(server.url, "emil");
  const { end } = await emil.call("GET", `${CLIENT}/initialSync`);
  const messages = { [emil.userId]: { "*": { hello: 1 } } };
  await emil.call("PUT", `${CLIENT}/sendToDevice/m.test/1`, { messages });
  const { end: later } = await emil.call("GET", `${CLIENT}/events?from=${end}&timeout=0`);
  await emil.call("GET", `${CLIENT}/events?from=${later}&timeout=0`);
  assert.equal((await emil.call("GET", `${CLIENT}/sync`)).to_device.events.length, 1);
});

test("a room that anyone may read is followed without being in it, and no other is", async () => {
  const fay = await registerPerson(server.url, "fay");
  const gil = await registerPerson(server.url, "gil");
  const visible = {
    type: "m.room.history_visibility",
    state_key: "",
    content: { history_visibility: "world_readable" },
  };
  const open = await makeRoom(fay, { initial_state: [visible] });
  const closed = await makeRoom(fay);
  const waiting = gil.call("GET", `${CLIENT}/events?room_id=${open}&timeout=30000`);
  const { end } = await gil.call("GET", `${CLIENT}/events?room_id=${open}&timeout=0`);
  await fay.call("GET", `${CLIENT}/events?timeout=0`);
  const { presence, receipts } = await gil.call("GET", `${CLIENT}/rooms/${open}/initialSync`);
  assert.deepEqual([presence, receipts], [[], []], "who reads and who is there is the members' alone");
  await say(fay, open, "hello");
  assert.deepEqual(bodies((await waiting).chunk), ["hello"]);
  assert.deepEqual(bodies((await gil.call("GET", `${CLIENT}/events?room_id=${open}&from=${end}`)).chunk), ["hello"]);
  for (const path of [`events?room_id=${closed}&timeout=0`, `rooms/${closed}/initialSync`])
    assert.deepEqual((await gil.ask("GET", `${CLIENT}/${path}`)).body.errcode, "M_FORBIDDEN", path);
});

test("a room's initialSync has its newest messages, state and account data; after leaving, as it was then", async () => {
  const hana = await registerPerson(server.url, "hana");
  const ivo = await registerPerson(server.url, "ivo");
  const room = await makeRoom(hana, { preset: "public_chat" });
  await ivo.call("POST", `${CLIENT}/join/${room}`, {});
  for (const body of ["one", "two", "three"]) await say(hana, room, body);
  await ivo.call("PUT", `${CLIENT}/user/${ivo.userId}/rooms/${room}/account_data/a.b`, { c: 1 });
  const now = await ivo.call("GET", `${CLIENT}/rooms/${room}/initialSync?limit=2`);
  assert.deepEqual([now.membership, now.visibility, bodies(now.messages.chunk)], ["join", "private", ["two", "three"]]);
  assert.deepEqual(now.account_data, [{ type: "a.b", content: { c: 1 } }]);
  const before = await ivo.call("GET", `${CLIENT}/rooms/${room}/messages?dir=b&from=${now.messages.start}&limit=1`);
  assert.deepEqual(bodies(before.chunk), ["one"]);
  await ivo.call("POST", `${CLIENT}/rooms/${room}/leave`, {});
  await say(hana, room, "behind their back");
  await hana.call("PUT", `${CLIENT}/rooms/${room}/state/m.room.topic/`, { topic: "new" });
  const then = await ivo.call("GET", `${CLIENT}/rooms/${room}/initialSync?limit=2`);
  assert.equal(then.membership, "leave");
  assert.deepEqual(bodies(then.messages.chunk), ["three"]);
  assert.ok(!then.state.some(({ type }: Json) => type === "m.room.topic"));
});

test("an event is found by its id alone, by those who may see it", async () => {
  const jo = await registerPerson(server.url, "jo");
  const kim = await registerPerson(server.url, "kim");
  const room = await makeRoom(jo);
  const event = await say(jo, room, "alone");
  assert.equal((await jo.call("GET", `${CLIENT}/events/${event}`)).room_id, room);
  for (const [person, id] of [
    [kim, event],
    [jo, "$none"],
  ] as const)
    assert.equal((await person.ask("GET", `${CLIENT}/events/${id}`)).body.errcode, "M_NOT_FOUND");
});
