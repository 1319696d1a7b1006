import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { readEvent } from "../log/queries.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

let made = 0;
/** A room of alice's with bob in it. */
async function newRoom(options: object = {}) {
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", ...options });
  const path = `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}`;
  await bob.call("POST", `${path}/join`, {});
  const ask = (who: Person, content: unknown, type = "m.room.message") =>
    who.ask("PUT", `${path}/send/${type}/${++made}`, content);
  const send = async (who: Person, content: object, type?: string): Promise<string> => {
    const { status, body } = await ask(who, content, type);
    assert.equal(status, 200, JSON.stringify(body));
    return body.event_id as string;
  };
  return { path, ask, send };
}

async function stored(eventId: string): Promise<Json> {
  const entry = await readEvent(server.ctx.db.log, eventId);
  assert.ok(entry);
  return { ...entry, body: JSON.parse(entry.body) };
}

async function refused(answer: Promise<{ status: number; body: Json }>, status: number, errcode: string) {
  const { status: is, body } = await answer;
  assert.deepEqual({ status: is, errcode: body.errcode }, { status, errcode });
}

test("a sent event is in the log as it was sent, with the id of the answer", async () => {
  const room = await newRoom();
  const content = { msgtype: "m.text", body: "Grüße \u0000 und 👋", nested: { list: [1, null, true, { deep: "x" }] } };
  const id = await room.send(alice, content);
  assert.match(id, /^\$[A-Za-z0-9_-]{43}$/);
  const entry = await stored(id);
  assert.deepEqual(Object.keys(entry.body), ["content", "event_id", "origin_server_ts", "sender", "type"]);
  assert.deepEqual(entry.body.content, content);
  assert.equal(entry.body.sender, alice.userId);
  assert.equal(entry.body.event_id, id);
});

test("what is sent with POST needs no transaction id, and is sent each time", async () => {
  const { path } = await newRoom();
  const say = (who: Person, body: unknown) => who.ask("POST", `${path}/send/m.room.message`, body);
  const content = { msgtype: "m.text", body: "again" };
  const [first, second] = [await say(alice, content), await say(alice, content)];
  assert.deepEqual([first.status, second.status], [200, 200]);
  assert.notEqual(first.body.event_id, second.body.event_id);
  assert.deepEqual((await stored(second.body.event_id)).body.content, content);
  await refused(say(alice, { body: 1.1 }), 400, "M_BAD_JSON");
  await refused(say(await registerPerson(server.url, "dave"), content), 403, "M_FORBIDDEN");
});

test("an address with NUL in it is refused before it reaches the database", async () => {
  await refused(alice.ask("PUT", `${CLIENT}/rooms/!%00/send/m.room.message/1`, {}), 400, "M_INVALID_PARAM");
  const room = await newRoom();
  await refused(alice.ask("PUT", `${room.path}/send/m.room.message/%00`, {}), 400, "M_INVALID_PARAM");
});

test("only members with the power to send an event of its type can", async () => {
  const room = await newRoom({ power_level_content_override: { events: { "org.example.loud": 50 } } });
  const carol = await registerPerson(server.url, "carol");
  await refused(room.ask(carol, { body: "x" }), 403, "M_FORBIDDEN");
  await refused(room.ask(bob, {}, "org.example.loud"), 403, "M_FORBIDDEN");
  await room.send(alice, {}, "org.example.loud");
  await refused(alice.ask("PUT", `${CLIENT}/rooms/!${"x".repeat(43)}/send/m.room.message/1`, {}), 404, "M_NOT_FOUND");
});

test("what is no event is refused", async () => {
  const room = await newRoom();
  await refused(room.ask(alice, []), 400, "M_BAD_JSON");
  await refused(room.ask(alice, { number: 1.5 }), 400, "M_BAD_JSON");
  await refused(room.ask(alice, { number: 2 ** 53 }), 400, "M_BAD_JSON");
  await refused(room.ask(alice, { text: "\udc00" }), 400, "M_BAD_JSON");
  await refused(room.ask(alice, {}, "t".repeat(256)), 413, "M_TOO_LARGE");
  await refused(room.ask(alice, {}, "m.room.create"), 400, "M_BAD_STATE");
  await refused(room.ask(alice, { membership: "join" }, "m.room.member"), 400, "M_BAD_JSON");
  const long = `${room.path}/send/m.room.message/${"t".repeat(256)}`;
  await refused(alice.ask("PUT", long, {}), 400, "M_INVALID_PARAM");
});

test("an event may have 65,536 bytes with its room id, and not one more", async () => {
  const room = await newRoom();
  const entry = await stored(await room.send(alice, { body: "" }));
  const roomId = entry.roomId as string;
  const empty = Buffer.byteLength(JSON.stringify({ ...entry.body, room_id: roomId }));
  const fits = "ü".repeat((65_536 - empty) >> 1) + ((65_536 - empty) % 2 ? "x" : "");
  await room.send(alice, { body: fits });
  await refused(room.ask(alice, { body: `${fits}x` }), 413, "M_TOO_LARGE");
});

test("a relation is found by its target and type, and a malformed one is none", async () => {
  const room = await newRoom();
  const target = await room.send(alice, { body: "target" });
  const relate = async (relation: unknown) => {
    const { relatesTo, relationType } = await stored(await room.send(alice, { "m.relates_to": relation }));
    return [relatesTo, relationType];
  };
  assert.deepEqual(await relate({ rel_type: "m.reference", event_id: target }), [target, "m.reference"]);
  assert.deepEqual(await relate({ "m.in_reply_to": { event_id: target } }), [null, null]);
  assert.deepEqual(await relate({ rel_type: 7, event_id: target }), [null, null]);
  assert.deepEqual(await relate({ rel_type: "m.reference", event_id: `$${"x".repeat(5_000)}` }), [null, null]);
  assert.deepEqual(await relate({ rel_type: "m.reference", event_id: "$\u0000" }), [null, null]);
  assert.deepEqual(await relate("elsewhere"), [null, null]);
});

test("a person annotates an event with one key once, until that annotation is redacted", async () => {
  const room = await newRoom();
  const target = await room.send(alice, { body: "target" });
  const thumb = { "m.relates_to": { rel_type: "m.annotation", event_id: target, key: "👍" } };
  const first = await room.send(bob, thumb, "m.reaction");
  await refused(room.ask(bob, thumb, "m.reaction"), 400, "M_DUPLICATE_ANNOTATION");
  await room.send(alice, thumb, "m.reaction");
  await room.send(bob, { "m.relates_to": { ...thumb["m.relates_to"], key: "🎉" } }, "m.reaction");
  await room.send(bob, thumb, "org.example.other");
  await bob.call("PUT", `${room.path}/redact/${first}/${++made}`, {});
  await room.send(bob, thumb, "m.reaction");
});

test("a retry of an annotation is no duplicate of it", async () => {
  const room = await newRoom();
  const target = await room.send(alice, { body: "target" });
  const thumb = { "m.relates_to": { rel_type: "m.annotation", event_id: target, key: "👍" } };
  const path = `${room.path}/send/m.reaction/once`;
  assert.deepEqual(await bob.call("PUT", path, thumb), await bob.call("PUT", path, thumb));
});

test("a thread starts off an event that relates to nothing else; a reply is such an event", async () => {
  const room = await newRoom();
  const root = await room.send(alice, { body: "root" });
  const inThread = (event_id: string) => ({ "m.relates_to": { rel_type: "m.thread", event_id } });
  const reply = await room.send(bob, { "m.relates_to": { "m.in_reply_to": { event_id: root } } });
  const answer = await room.send(bob, inThread(root));
  await room.send(bob, inThread(reply));
  await refused(room.ask(bob, inThread(answer)), 400, "M_UNKNOWN");
});
