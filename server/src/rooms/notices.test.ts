import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { testRoom } from "../../../testkit/src/room.ts";
import { sync } from "../../../testkit/src/syncing.ts";

const { server, alice, bob } = await startNeighbours(["alice", "bob"]);
const root = await makeAdministrator(server, "root");

const say = (who: Person, text: string, key?: string): Promise<Json> =>
  root.call("POST", `/_parley/admin/v1/users/${encodeURIComponent(who.userId)}/notices`, { text, ...(key && { key }) });

test("a notice is a message of the server's own account in a room that only it speaks in, and the person is invited", async () => {
  const first = await say(alice, "The server moves on Sunday.");
  const { invite } = (await sync(alice)).rooms;
  const state: Json[] = invite[first.room_id].invite_state.events;
  assert.equal(state.find(({ type }) => type === "m.room.name").content.name, "Server notices");
  const { tags } = await alice.call("GET", `/_matrix/client/v3/user/${alice.userId}/rooms/${first.room_id}/tags`);
  assert.deepEqual(tags, { "m.server_notice": {} });
  const room = testRoom(first.room_id);
  await room.change(alice, "join");
  const event = await room.read(alice, `event/${first.event_id}`);
  assert.deepEqual([event.content.msgtype, event.content.body], ["m.server_notice", "The server moves on Sunday."]);
  assert.equal(typeof event.content.server_notice_type, "string");
  const answer = await alice.ask("PUT", `${room.path}/send/m.room.message/1`, { msgtype: "m.text", body: "why?" });
  assert.equal(answer.status, 403);
  const second = await say(alice, "It has moved.");
  assert.equal(second.room_id, first.room_id);
  assert.notEqual((await say(bob, "hello")).room_id, first.room_id);
});

test("the invitation can not be declined; who has come in may leave, and is invited again by the next notice", async () => {
  const { room_id } = await say(bob, "first");
  const room = testRoom(room_id);
  const declined = await bob.ask("POST", `${room.path}/leave`, {});
  assert.deepEqual([declined.status, declined.body.errcode], [403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM"]);
  const own = `${room.path}/state/m.room.member/${bob.userId}`;
  assert.equal((await bob.ask("PUT", own, { membership: "leave" })).body.errcode, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM");
  await room.change(bob, "join");
  await room.change(bob, "leave");
  assert.equal((await say(bob, "second")).room_id, room_id);
  assert.deepEqual(Object.keys((await sync(bob)).rooms.invite), [room_id]);
});

test("the same key is the same notice, and nobody is told who is not here", async () => {
  const twice = [await say(alice, "once", "move-1"), await say(alice, "once", "move-1")];
  assert.equal(twice[0].event_id, twice[1].event_id);
  const path = "/_parley/admin/v1/users/@nobody:localhost/notices";
  assert.equal((await root.ask("POST", path, { text: "hello" })).status, 404);
  const forbidden = await alice.ask("POST", `/_parley/admin/v1/users/${bob.userId}/notices`, {
    text: "I am the server",
  });
  assert.equal(forbidden.status, 403);
});

test("whoever is told at one moment from several sides has one room for it", async () => {
  const carol = await makeAdministrator(server, "carol");
  const sent = await Promise.all([say(carol, "one"), say(carol, "two"), say(carol, "three")]);
  assert.equal(new Set(sent.map(({ room_id }) => room_id)).size, 1);
  assert.equal(Object.keys((await sync(carol)).rooms.invite).length, 1);
});
