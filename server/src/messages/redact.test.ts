import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { readEvent } from "../log/queries.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

let made = 0;
/** A room of alice's with bob in it. */
async function newRoom(options: object = {}): Promise<string> {
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", ...options });
  const path = `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}`;
  await bob.call("POST", `${path}/join`, {});
  return path;
}

async function say(who: Person, room: string): Promise<string> {
  const content = { msgtype: "m.text", body: "a secret" };
  return (await who.call("PUT", `${room}/send/m.room.message/${++made}`, content)).event_id as string;
}

const redact = (who: Person, [room, eventId]: [string, string], body: object = {}) =>
  who.ask("PUT", `${room}/redact/${encodeURIComponent(eventId)}/${++made}`, body);

async function stored(eventId: string): Promise<Json> {
  const entry = await readEvent(server.ctx.db.log, eventId);
  assert.ok(entry);
  return { ...entry, body: JSON.parse(entry.body), unsigned: entry.unsigned && JSON.parse(entry.unsigned) };
}

async function refused(answer: Promise<{ status: number; body: Json }>, status: number, errcode: string) {
  const { status: is, body } = await answer;
  assert.deepEqual({ status: is, errcode: body.errcode }, { status, errcode });
}

test("a redacted event loses its content in the table and in memory, and names the redaction", async () => {
  const room = await newRoom();
  const target = await say(bob, room);
  const { body } = await redact(bob, [room, target], { reason: "oops" });
  const left = await stored(target);
  assert.deepEqual(left.body.content, {});
  assert.equal(left.unsigned.redacted_because.event_id, body.event_id);
  assert.deepEqual(left.unsigned.redacted_because.content, { redacts: target, reason: "oops" });
  assert.equal(server.ctx.log.tail.event(target)?.body.includes("a secret"), false);
  const rows = await server.ctx.db.log.query("select 1 from log.entries where event_id = $1 and body like '%secret%'", [
    target,
  ]);
  assert.deepEqual(rows, []);
});

test("whoever redacts without a transaction id, as it was before there were any, redacts each time", async () => {
  const room = await newRoom();
  const target = await say(bob, room);
  const once = () => bob.call("POST", `${room}/redact/${encodeURIComponent(target)}`, { reason: "oops" });
  const [first, second] = [await once(), await once()];
  assert.notEqual(first.event_id, second.event_id);
  assert.deepEqual((await stored(target)).body.content, {});
  assert.deepEqual((await stored(first.event_id)).body.content, { redacts: target, reason: "oops" });
});

test("a redaction names its target in the content, and at the top for older clients", async () => {
  const room = await newRoom();
  const target = await say(bob, room);
  const { body } = await redact(bob, [room, target]);
  const redaction = await stored(body.event_id);
  assert.equal(redaction.body.redacts, target);
  assert.equal(redaction.body.content.redacts, target);
  assert.equal(redaction.redacts, target);
});

test("a redaction can be sent as any other event", async () => {
  const room = await newRoom();
  const target = await say(bob, room);
  await bob.call("PUT", `${room}/send/m.room.redaction/${++made}`, { redacts: target });
  assert.deepEqual((await stored(target)).body.content, {});
  await refused(bob.ask("PUT", `${room}/send/m.room.redaction/${++made}`, {}), 400, "M_BAD_JSON");
});

test("everyone redacts their own events, and those of others with the power to redact", async () => {
  const room = await newRoom();
  const [ofAlice, ofBob] = [await say(alice, room), await say(bob, room)];
  await refused(redact(bob, [room, ofAlice]), 403, "M_FORBIDDEN");
  assert.equal((await stored(ofAlice)).body.content.body, "a secret");
  assert.equal((await redact(alice, [room, ofBob])).status, 200);
});

test("who may not send redactions redacts nothing, not even their own", async () => {
  const room = await newRoom({ power_level_content_override: { events: { "m.room.redaction": 50 } } });
  await refused(redact(bob, [room, await say(bob, room)]), 403, "M_FORBIDDEN");
});

test("an event of another room, and one that does not exist, are not found", async () => {
  const [room, other] = [await newRoom(), await newRoom()];
  const elsewhere = await say(bob, other);
  await refused(redact(bob, [room, elsewhere]), 404, "M_NOT_FOUND");
  assert.equal((await stored(elsewhere)).body.content.body, "a secret");
  await refused(redact(bob, [room, `$${"x".repeat(43)}`]), 404, "M_NOT_FOUND");
});

test("a retry redacts once and gets the first answer", async () => {
  const room = await newRoom();
  const path = `${room}/redact/${await say(bob, room)}/once`;
  assert.deepEqual(await bob.call("PUT", path, {}), await bob.call("PUT", path, {}));
});

test("an event that was redacted before keeps its first redaction as the cause", async () => {
  const room = await newRoom();
  const target = await say(bob, room);
  const first = await redact(bob, [room, target]);
  assert.equal((await redact(alice, [room, target])).status, 200);
  assert.equal((await stored(target)).unsigned.redacted_because.event_id, first.body.event_id);
});

test("a redacted state event stays in force with what the rules need of it", async () => {
  const room = await newRoom({ room_version: "11" });
  const name = (await alice.call("PUT", `${room}/state/m.room.name/`, { name: "secret" })).event_id as string;
  await redact(alice, [room, name]);
  assert.deepEqual(await alice.call("GET", `${room}/state/m.room.name/`), {});
  const levels = await alice.call("GET", `${room}/state/m.room.power_levels?format=event`);
  await redact(alice, [room, levels.event_id]);
  const left = await alice.call("GET", `${room}/state/m.room.power_levels/`);
  assert.equal(left.users[alice.userId], 100);
  assert.equal("notifications" in left, false);
  const member = await alice.call("GET", `${room}/state/m.room.member/${bob.userId}?format=event`);
  await redact(bob, [room, member.event_id]);
  await say(bob, room);
});

test("content that only looks redacted is redacted all the same", async () => {
  const room = await newRoom();
  await alice.call("PUT", `${room}/state/org.example/`, { redacted_because: "not really" });
  const tricky = await alice.call("PUT", `${room}/state/org.example/`, { text: "a secret" });
  await redact(alice, [room, tricky.event_id]);
  assert.deepEqual((await stored(tricky.event_id)).body.content, {});
});

test("what a redacted state event said is gone from the event that replaced it, in the table and in memory", async () => {
  const room = await newRoom();
  const first = await alice.call("PUT", `${room}/state/m.room.topic/`, { topic: 'a secret,"prev_content":{}' });
  const second = await alice.call("PUT", `${room}/state/m.room.topic/`, { topic: "harmless" });
  assert.match((await stored(second.event_id)).unsigned.prev_content.topic, /^a secret/);
  await redact(alice, [room, first.event_id]);
  const unsigned = { replaces_state: first.event_id, prev_sender: alice.userId };
  assert.deepEqual((await stored(second.event_id)).unsigned, unsigned);
  assert.deepEqual(JSON.parse(server.ctx.log.tail.event(second.event_id)?.unsigned ?? ""), unsigned);
  assert.deepEqual((await alice.call("GET", `${room}/state/m.room.topic?format=event`)).unsigned, unsigned);
});
