import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { people, roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";
import { openUnreadCounter } from "./unread.ts";

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

test("who says something has read what was said before in that thread, and state that apps send reads nothing", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(bob, roomId, "root");
  const inThread = (body: string) => ({ body, "m.relates_to": { rel_type: "m.thread", event_id: root } });
  const filter = { room: { timeline: { unread_thread_notifications: true } } };
  const { next_batch: since } = await sync(bob, { filter });
  /** Carried on in memory, and counted anew from the log. */
  const counts = async () => {
    const ofRoom = (answer: Json): [number, number] => {
      const { unread_notifications, unread_thread_notifications } = answer.rooms.join[roomId];
      return [unread_notifications.notification_count, unread_thread_notifications[root]?.notification_count ?? 0];
    };
    const room = await server.ctx.rooms.load(roomId);
    const { main, threads } = await openUnreadCounter(server.ctx).count(bob.userId, room);
    const carriedOn = ofRoom(await sync(bob, { since, filter }));
    assert.deepEqual([main.notifications, threads.get(root)?.notifications ?? 0], carriedOn);
    return carriedOn;
  };
  await say(alice, roomId, "outside");
  await say(alice, roomId, inThread("in it"));
  assert.deepEqual(await counts(), [1, 1]);
  await bob.call("PUT", `/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname: "Bob" });
  assert.deepEqual(await counts(), [1, 1]);
  await say(bob, roomId, "answer");
  assert.deepEqual(await counts(), [0, 1]);
  await say(alice, roomId, "again");
  await say(bob, roomId, inThread("answer"));
  assert.deepEqual(await counts(), [1, 0]);
});

test("what relates to an event of a thread is in it, over three relations", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(bob, roomId, "root");
  const relating = (type: string, eventId: string) => ({
    body: type,
    "m.relates_to": { rel_type: type, event_id: eventId },
  });
  const room = await server.ctx.rooms.load(roomId);
  const carrying = openUnreadCounter(server.ctx);
  await carrying.count(bob.userId, room);
  /** Main, and the thread: carried on in memory, and counted anew from the log. */
  const counts = async (): Promise<[number, number]> => {
    const [carried, anew] = await Promise.all(
      [carrying, openUnreadCounter(server.ctx)].map((counter) => counter.count(bob.userId, room)),
    );
    assert.deepEqual(carried, { ...carried, main: anew?.main, threads: anew?.threads });
    return [anew?.main.notifications ?? 0, anew?.threads.get(root)?.notifications ?? 0];
  };
  const reply = await say(alice, roomId, relating("m.thread", root));
  let last = reply;
  for (let hops = 1; hops <= 3; hops++) {
    last = await say(alice, roomId, relating("m.reference", last));
    assert.deepEqual(await counts(), [0, hops + 1]);
  }
  await say(alice, roomId, relating("m.reference", last));
  await say(alice, roomId, relating("m.reference", root));
  assert.deepEqual(await counts(), [2, 4], "a fourth relation leads nowhere, and what relates to the root is outside");
  const reaction = { "m.relates_to": { rel_type: "m.annotation", event_id: reply, key: "👍" } };
  await bob.call("PUT", roomPath(roomId, "send/m.reaction/1"), reaction);
  assert.deepEqual(await counts(), [2, 0], "who reacts to something has read the thread that it is in");
});

test("a change of one's name reads nothing, and who comes back has nothing unread from while they were away", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const fresh = async () => {
    const room = await server.ctx.rooms.load(roomId);
    const known = (await sync(bob)).rooms.join[roomId].unread_notifications.notification_count;
    assert.equal((await openUnreadCounter(server.ctx).count(bob.userId, room)).main.notifications, known);
    return known;
  };
  const rename = (displayname: string) =>
    bob.call("PUT", `/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname });
  await say(alice, roomId, "one");
  for (const name of ["Bob", "Bobby"]) await rename(name);
  assert.equal(await fresh(), 1);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${await say(alice, roomId, "two")}`), {});
  await say(alice, roomId, "three");
  assert.equal(await fresh(), 1);
  await bob.call("POST", roomPath(roomId, "leave"), {});
  await say(alice, roomId, "away");
  await alice.call("POST", roomPath(roomId, "invite"), { user_id: bob.userId });
  await bob.call("POST", roomPath(roomId, "join"), {});
  await say(alice, roomId, "back");
  await rename("Robert");
  assert.equal(await fresh(), 1);
});

test("a removal of what somebody has read leaves their count in memory, and one of what they have not does not", async () => {
  await using server = await startTestServer();
  const { ctx } = server;
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const sent = [await say(alice, roomId, "one"), await say(alice, roomId, "two"), await say(alice, roomId, "three")];
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${sent[1]}`), {});
  const unread = openUnreadCounter(ctx);
  const room = await ctx.rooms.load(roomId);
  assert.equal((await unread.count(bob.userId, room)).main.notifications, 1);
  const remove = async (eventId: string): Promise<void> => {
    await ctx.db.log.one(
      "select log.remove_events($1, array(select position from log.entries where event_id = $2), '{}', false)",
      [roomId, eventId],
    );
    const head = await ctx.db.log.one<{ position: number }>("select position from log.head");
    await ctx.log.reached(head?.position ?? 0);
  };
  for (const eventId of sent.slice(0, 2)) await remove(eventId);
  assert.equal(unread.peek(bob.userId, room)?.main.notifications, 1);
  await remove(sent[2] as string);
  assert.equal(unread.peek(bob.userId, room), undefined);
  assert.equal((await unread.count(bob.userId, room)).main.notifications, 0);
});
