/** What leaves the log leaves the table, every memory and every answer, and nothing else changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { bodies, people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";
import type { RoleName } from "../roles.ts";
import { readEvent } from "./queries.ts";

const config = { roles: ["auth", "messages", "gateway", "presence", "media"] as RoleName[] };

/** Takes the events out, as the owners of log.remove_events do. */
async function remove(server: TestServer, roomId: string, events: readonly string[]): Promise<number> {
  const { ctx } = server;
  const found = await Promise.all(events.map((eventId) => readEvent(ctx.db.log, eventId)));
  const positions = found.map((entry) => entry?.position);
  const row = await ctx.db.log.one<{ removed: number }>("select log.remove_events($1, $2, '{}', true) as removed", [
    roomId,
    positions,
  ]);
  const head = await ctx.db.log.one<{ position: number }>("select position from log.head");
  await ctx.log.reached(head?.position ?? 0);
  return row?.removed ?? 0;
}

const messages = async (person: Person, roomId: string): Promise<string[]> => {
  const page = await person.call("GET", roomPath(roomId, "messages?dir=f&limit=100"));
  return page.chunk.filter((each: Json) => each.type === "m.room.message").map((each: Json) => each.content.body);
};

test("events that are removed are in no answer any more, and those around them stay where they were", async () => {
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  const sent = [];
  for (const body of ["one", "two", "three", "four"]) sent.push(await say(alice, roomId, body));
  const [, two, three] = sent as [string, string, string];
  const before = await sync(bob, { since });
  assert.equal(before.rooms.join[roomId].unread_notifications.notification_count, 4);
  assert.equal(await remove(server, roomId, [two, three]), 2);
  assert.equal(await remove(server, roomId, [two, three]), 0, "what is gone does not go again");

  assert.deepEqual(await messages(bob, roomId), ["one", "four"]);
  const fromMemory = await sync(bob, { since });
  assert.deepEqual(bodies(fromMemory.rooms.join[roomId]), ["one", "four"]);
  assert.equal(fromMemory.rooms.join[roomId].unread_notifications.notification_count, 2);
  assert.deepEqual(bodies((await sync(bob)).rooms.join[roomId]), ["one", "four"]);
  assert.equal(server.ctx.log.tail.event(two), undefined);
  const lost = await bob.ask("GET", roomPath(roomId, `context/${encodeURIComponent(three)}`));
  assert.equal(lost.status, 404);
  const around = await bob.call("GET", roomPath(roomId, `context/${encodeURIComponent(sent[3] as string)}`));
  assert.equal(around.events_before[0].event_id, sent[0]);
});

test("a token that stands on a removed event goes on as before, and so does a receipt", async () => {
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const read = await say(alice, roomId, "read");
  const { next_batch: since } = await sync(bob);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${encodeURIComponent(read)}`), {});
  await say(alice, roomId, "unread");
  await remove(server, roomId, [read]);
  const next = await sync(bob, { since });
  assert.deepEqual(bodies(next.rooms.join[roomId]), ["unread"]);
  assert.equal(next.rooms.join[roomId].unread_notifications.notification_count, 1);
  assert.equal((await sync(bob)).rooms.join[roomId].unread_notifications.notification_count, 1);
});

test("a retry of a send whose event is gone gets the first answer, and sends nothing", async () => {
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const path = roomPath(roomId, "send/m.room.message/once");
  const { event_id: sent } = await alice.call("PUT", path, { msgtype: "m.text", body: "once" });
  await remove(server, roomId, [sent]);
  assert.equal((await alice.call("PUT", path, { msgtype: "m.text", body: "once" })).event_id, sent);
  assert.deepEqual(await messages(bob, roomId), []);
});

test("current state is never removed, whatever is asked for", async () => {
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const state = (await alice.call("GET", roomPath(roomId, "state"))) as Json[];
  assert.equal(
    await remove(
      server,
      roomId,
      state.map((event) => event.event_id as string),
    ),
    0,
  );
  assert.deepEqual(await alice.call("GET", roomPath(roomId, "state")), state);
});

test("a thread is counted without what was removed of it, and an event without the edits that were", async () => {
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(alice, roomId, "root");
  const relation = { "m.relates_to": { rel_type: "m.thread", event_id: root } };
  const first = await say(alice, roomId, { body: "first", ...relation });
  await say(alice, roomId, { body: "second", ...relation });
  await remove(server, roomId, [first]);
  const { chunk } = await bob.call("GET", roomPath(roomId, "threads").replace("/v3/", "/v1/"));
  assert.equal(chunk[0].unsigned["m.relations"]["m.thread"].count, 1);
  await remove(server, roomId, [root]);
  const after = await bob.call("GET", roomPath(roomId, "threads").replace("/v3/", "/v1/"));
  assert.deepEqual(after.chunk, [], "a thread without its beginning is not listed");
  assert.deepEqual(await messages(bob, roomId), ["second"], "its later messages stand by themselves");
});

test("another replica lets go of removed events too", async () => {
  await using server = await startTestServer({ config });
  await using other = await startTestServer({ config, databaseUrl: server.databaseUrl });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const gone = await say(alice, roomId, "gone");
  const position = (await readEvent(server.ctx.db.log, gone))?.position ?? 0;
  await other.ctx.log.reached(position);
  assert.notEqual(other.ctx.log.tail.event(gone), undefined);
  await remove(server, roomId, [gone]);
  await other.ctx.log.reached(server.ctx.log.hub.head());
  assert.equal(other.ctx.log.tail.event(gone), undefined);
});
