import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { limits } from "../limits.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

async function newest(): Promise<Json> {
  const columns = "reporter, room_id, event_id, user_id, reason";
  return server.ctx.db.rooms.one(`select ${columns} from rooms.reports order by report_id desc limit 1`);
}

const countReports = async (): Promise<unknown> =>
  (await server.ctx.db.rooms.one<{ count: number }>("select count(*) from rooms.reports"))?.count;

test("a member reports an event, and it is kept with who sent it and why", async () => {
  const room = await createRoom(alice);
  const event_id = await room.say(alice, "bad");
  await room.change(bob, "join");
  await bob.call("POST", `${room.path}/report/${event_id}`, { reason: "rude \u0000", score: -100 });
  const expected = { reporter: bob.userId, room_id: room.id, event_id, user_id: alice.userId, reason: "rude " };
  assert.deepEqual(await newest(), expected);
  await bob.call("POST", `${room.path}/report/${event_id}`, {});
  assert.equal((await newest()).reason, "");
});

test("an event is reported by those who are in its room and see it; all others learn nothing", async () => {
  const room = await createRoom(alice);
  const hidden = await createRoom(alice, { preset: "private_chat" });
  const event_id = await room.say(alice, "x");
  const before = await countReports();
  const answers = await Promise.all([
    bob.ask("POST", `${room.path}/report/${event_id}`, {}),
    bob.ask("POST", `${room.path}/report/$nothing`, {}),
    alice.ask("POST", `${room.path}/report/$nothing`, {}),
    alice.ask("POST", `${hidden.path}/report/${event_id}`, {}),
    bob.ask("POST", `${CLIENT}/rooms/!nowhere:localhost/report/${event_id}`, {}),
  ]);
  for (const { status, body } of answers) assert.deepEqual([status, body], [404, answers[0]?.body]);
  await room.change(bob, "join");
  await room.change(bob, "leave");
  assert.equal((await bob.ask("POST", `${room.path}/report/${event_id}`, {})).status, 404);
  assert.equal(await countReports(), before);
});

test("rooms and people are reported by anyone, and the answer does not say whether they exist", async () => {
  const room = await createRoom(alice, { preset: "private_chat" });
  for (const id of [room.id, "!nowhere:localhost"]) {
    await bob.call("POST", `${CLIENT}/rooms/${encodeURIComponent(id)}/report`, { reason: "spam" });
    const expected = { reporter: bob.userId, room_id: id, event_id: null, user_id: null, reason: "spam" };
    assert.deepEqual(await newest(), expected);
  }
  for (const id of [alice.userId, "@nobody:localhost"]) {
    await bob.call("POST", `${CLIENT}/users/${encodeURIComponent(id)}/report`, { reason: "" });
    const expected = { reporter: bob.userId, room_id: null, event_id: null, user_id: id, reason: "" };
    assert.deepEqual(await newest(), expected);
  }
});

test("a report without a reason, with a book for one, or of what is no id, is refused", async () => {
  const ask = (path: string, body: object) => bob.ask("POST", CLIENT + path, body);
  assert.equal((await ask("/users/@a:localhost/report", {})).status, 400);
  assert.equal((await ask("/rooms/!a:localhost/report", {})).status, 400);
  const reason = "x".repeat(limits.reportReason_characters + 1);
  assert.equal((await ask("/users/@a:localhost/report", { reason })).status, 400);
  assert.equal((await ask("/users/nobody/report", { reason: "" })).status, 400);
  assert.equal((await ask("/rooms/nowhere/report", { reason: "" })).status, 400);
});
