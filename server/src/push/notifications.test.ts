import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { people, roomOf, roomPath, say } from "../../../testkit/src/syncing.ts";

const PATH = "/_matrix/client/v3/notifications";
const bodies = (answer: Json): string[] => answer.notifications.map(({ event }: Json) => event.content.body);

test("what a person was notified of is listed, the newest first, until they read it; mentions stay", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await say(bob, roomId, "own");
  await say(alice, roomId, "one");
  await say(alice, roomId, { body: "notice", msgtype: "m.notice" });
  const two = await say(alice, roomId, { body: "two", "m.mentions": { user_ids: [bob.userId] } });
  const all = await bob.call("GET", PATH);
  assert.deepEqual(bodies(all).slice(0, 2), ["two", "one"]);
  const [first, second] = all.notifications;
  assert.deepEqual(
    [first.event.event_id, first.room_id, first.read, first.ts],
    [two, roomId, false, first.event.origin_server_ts],
  );
  const sound = { set_tweak: "sound", value: "default" };
  assert.deepEqual(first.actions, ["notify", sound, { set_tweak: "highlight", value: true }]);
  assert.deepEqual(second.actions, ["notify", sound]);
  assert.deepEqual(bodies(await bob.call("GET", `${PATH}?only=highlight`)), ["two"]);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${two}`), {});
  const read = await bob.call("GET", PATH);
  assert.deepEqual(bodies(read), ["two"]);
  assert.equal(read.notifications[0].read, true);
  assert.equal(read.next_token, undefined);
});

test("who answers has read what was said before, in the thread in which they answer", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const root = await say(alice, roomId, "root");
  const inThread = (body: string) => ({ body, "m.relates_to": { rel_type: "m.thread", event_id: root } });
  const reply = await say(alice, roomId, inThread("reply"));
  await say(alice, roomId, { body: "mention", "m.mentions": { user_ids: [bob.userId] } });
  await bob.call("PUT", `/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname: "Bob" });
  assert.deepEqual(bodies(await bob.call("GET", PATH)).slice(0, 3), ["mention", "reply", "root"]);
  await say(bob, roomId, "answer");
  const outside = await bob.call("GET", PATH);
  assert.deepEqual(outside.notifications.map(({ event, read }: Json) => [event.content.body, read]).slice(0, 2), [
    ["mention", true],
    ["reply", false],
  ]);
  assert.ok(!bodies(outside).includes("root"));
  // A reaction to something in the thread is in it.
  await bob.call("PUT", roomPath(roomId, "send/m.reaction/1"), {
    "m.relates_to": { rel_type: "m.annotation", event_id: reply, key: "👍" },
  });
  assert.ok(!bodies(await bob.call("GET", PATH)).includes("reply"));
  await say(alice, roomId, inThread("more"));
  assert.ok(bodies(await bob.call("GET", PATH)).includes("more"));
  await say(bob, roomId, inThread("answer"));
  assert.ok(!bodies(await bob.call("GET", PATH)).includes("more"));
});

test("the list goes on where an answer ended, over rooms", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const rooms = [await roomOf(alice, bob), await roomOf(alice, bob)];
  for (let n = 0; n < 7; n++) await say(alice, rooms[n % 2] as string, `${n}`);
  const seen: string[] = [];
  let from: string | undefined = "";
  for (let times = 0; from !== undefined && times < 10; times++) {
    const answer: Json = await bob.call("GET", `${PATH}?limit=2${from && `&from=${from}`}`);
    assert.ok(answer.notifications.length <= 2);
    seen.push(...bodies(answer).filter((body) => body !== undefined));
    from = answer.next_token;
  }
  assert.deepEqual(seen, ["6", "5", "4", "3", "2", "1", "0"]);
  assert.equal((await bob.ask("GET", `${PATH}?from=nowhere`)).body.errcode, "M_INVALID_PARAM");
  assert.equal((await bob.ask("GET", `${PATH}?limit=0`)).body.errcode, "M_INVALID_PARAM");
});

test("an invitation notifies, and what was said before somebody came does not", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice);
  await say(alice, roomId, "before");
  await alice.call("POST", roomPath(roomId, "invite"), { user_id: bob.userId });
  const { notifications } = await bob.call("GET", PATH);
  assert.deepEqual(
    notifications.map(({ event }: Json) => event.content.membership),
    ["invite"],
  );
  await bob.call("POST", roomPath(roomId, "join"), {});
  await say(alice, roomId, "after");
  assert.deepEqual(bodies(await bob.call("GET", PATH)).filter(Boolean), ["after"]);
});

test("who is ignored notifies nobody, and counts for nothing", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await say(alice, roomId, "one");
  const path = `/_matrix/client/v3/user/${encodeURIComponent(bob.userId)}/account_data/m.ignored_user_list`;
  const count = async () =>
    (await bob.call("GET", "/_matrix/client/v3/sync")).rooms.join[roomId].unread_notifications.notification_count;
  assert.equal(await count(), 1);
  await bob.call("PUT", path, { ignored_users: { [alice.userId]: {} } });
  await say(alice, roomId, "two");
  assert.deepEqual(bodies(await bob.call("GET", PATH)), []);
  assert.equal(await count(), 0);
});
