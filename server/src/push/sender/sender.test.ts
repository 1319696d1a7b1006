import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { Json, Person } from "../../../../testkit/src/http.ts";
import { listening } from "../../../../testkit/src/listening.ts";
import { type PushGateway, startPushGateway } from "../../../../testkit/src/push-gateway.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { people, roomOf, roomPath, say } from "../../../../testkit/src/syncing.ts";
import { moderateAccount } from "../../auth/moderation.ts";
import { limits } from "../../limits.ts";
import { readAllowed } from "../../outward/guard.ts";

const config = { push: { hosts: readAllowed("127.0.0.1"), vapidKey: undefined } };

/** Sets a pusher at the gateway. */
async function watch(person: Person, gateway: PushGateway, change: Json = {}): Promise<void> {
  const { data = {}, ...rest } = change;
  await person.call("POST", "/_matrix/client/v3/pushers/set", {
    kind: "http",
    app_id: "org.example.app",
    pushkey: `key of ${person.userId}`,
    app_display_name: "App",
    device_display_name: "Phone",
    lang: "en",
    data: { url: gateway.url, brand: "mine", ...data },
    ...rest,
  });
}

const saying = (body: string) => (notification: Json) => notification.content?.body === body;
const about = (eventId: string) => (notification: Json) => notification.event_id === eventId;

async function meet(server: TestServer): Promise<{ alice: Person; bob: Person; roomId: string }> {
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  return { alice, bob, roomId: await roomOf(alice, bob) };
}

test("a message is pushed with what the specification says of it, and only to whom it notifies", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  await alice.call("PUT", roomPath(roomId, "state/m.room.name"), { name: "Tea" });
  await watch(alice, gateway);
  await watch(bob, gateway);
  const eventId = await say(alice, roomId, "hello");
  const notification = await gateway.took("the message is pushed", saying("hello"));
  assert.ok(Math.abs(notification.devices[0].pushkey_ts - Date.now() / 1_000) < 600);
  delete notification.devices[0].pushkey_ts;
  assert.deepEqual(notification, {
    event_id: eventId,
    id: eventId,
    room_id: roomId,
    type: "m.room.message",
    sender: alice.userId,
    sender_display_name: "alice",
    room_name: "Tea",
    prio: "high",
    content: { msgtype: "m.text", body: "hello" },
    counts: { unread: 1 },
    devices: [
      {
        app_id: "org.example.app",
        pushkey: `key of ${bob.userId}`,
        data: { brand: "mine" },
        tweaks: { sound: "default" },
      },
    ],
  });
  await say(bob, roomId, "answer");
  await gateway.took("the answer is pushed to alice", saying("answer"));
  // That bob has read it with that is a number alone.
  assert.deepEqual(
    gateway.taken.filter(({ event_id }) => event_id).map(({ devices }) => devices[0].pushkey),
    [`key of ${bob.userId}`, `key of ${alice.userId}`],
  );
});

test("who asked for ids gets ids, and of an encrypted room nobody gets more", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  await watch(bob, gateway, { pushkey: "short", data: { format: "event_id_only" } });
  await watch(bob, gateway, { pushkey: "whole" });
  const plain = await say(alice, roomId, "hello");
  const sent = roomPath(roomId, "send/m.room.encrypted/1");
  const { event_id: secret } = await alice.call("PUT", sent, { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "…" });
  const to = (key: string, id: string) => (notification: Json) =>
    notification.devices[0].pushkey === key && notification.event_id === id;
  const short = await gateway.took("the message is pushed by its id", to("short", plain));
  assert.deepEqual(Object.keys(short).toSorted(), ["counts", "devices", "event_id", "prio", "room_id"]);
  assert.deepEqual(short.devices[0].data, { brand: "mine", format: "event_id_only" });
  for (const key of ["short", "whole"]) {
    const encrypted = await gateway.took("the encrypted one is pushed by its id", to(key, secret));
    assert.deepEqual(Object.keys(encrypted).toSorted(), ["counts", "devices", "event_id", "prio", "room_id"]);
    assert.equal(encrypted.prio, "high");
    assert.equal(encrypted.counts.unread, 2);
  }
});

test("an invitation is pushed to whom it invites, and a muted room and a redacted message are not", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  const muted = await roomOf(alice, bob);
  await watch(bob, gateway);
  const { room_id: other } = await alice.call("POST", "/_matrix/client/v3/createRoom", { invite: [bob.userId] });
  const invitation = await gateway.took("the invitation is pushed", ({ room_id }) => room_id === other);
  assert.deepEqual([invitation.user_is_target, invitation.membership], [true, "invite"]);
  await bob.call("PUT", `/_matrix/client/v3/pushrules/global/room/${encodeURIComponent(muted)}`, { actions: [] });
  await say(alice, muted, "muted");
  gateway.answer = () => 503;
  const regretted = await say(alice, roomId, "regretted");
  await gateway.askedTimes(2);
  await alice.call("PUT", roomPath(roomId, `redact/${encodeURIComponent(regretted)}/1`), {});
  gateway.answer = undefined;
  await say(alice, roomId, "last");
  await gateway.took("the last message is pushed", saying("last"));
  assert.deepEqual(
    gateway.taken.map(({ room_id, content }) => [room_id, content.body]),
    [
      [other, undefined],
      [roomId, "last"],
    ],
  );
});

test("who is locked is told nothing while their devices stay", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob, carol);
  await watch(bob, gateway);
  await watch(carol, gateway);
  await moderateAccount(server.ctx, bob.userId, { locked: true });
  await say(alice, roomId, "hidden");
  await gateway.took("carol is told", saying("hidden"));
  // What is for bob was queued with what is for carol, and goes one way or the other.
  while (await server.ctx.db.push.one("select 1 from push.queue"));
  await moderateAccount(server.ctx, bob.userId, { locked: false });
  await say(alice, roomId, "open");
  const ofBob = ({ devices }: Json) => devices[0].pushkey === `key of ${bob.userId}`;
  await gateway.took("bob is told again", (each) => ofBob(each) && saying("open")(each));
  assert.deepEqual(
    gateway.taken.filter(ofBob).map(({ content }) => content.body),
    ["open"],
  );
});

test("reading ends the number on the icon, and what was read is not pushed any more", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  await watch(bob, gateway);
  await say(alice, roomId, "one");
  const two = await say(alice, roomId, "two");
  assert.equal((await gateway.took("two is pushed", saying("two"))).counts.unread, 2);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${two}`), {});
  const cleared = await gateway.took("the number is cleared", ({ event_id }) => event_id === undefined);
  assert.deepEqual([cleared.counts, cleared.prio], [{ unread: 0 }, "low"]);
  gateway.answer = () => 502;
  const three = await say(alice, roomId, "three");
  await gateway.askedTimes(4);
  await bob.call("POST", roomPath(roomId, `receipt/m.read.private/${three}`), {});
  gateway.answer = undefined;
  await say(alice, roomId, "four");
  assert.equal((await gateway.took("four is pushed", saying("four"))).counts.unread, 1);
  assert.equal(gateway.taken.filter(saying("three")).length, 0);
});

test("who answers on another device ends the number on the icon, and what they answered is not pushed any more", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  await watch(bob, gateway);
  await say(alice, roomId, "one");
  await gateway.took("one is pushed", saying("one"));
  await say(bob, roomId, "an answer");
  const cleared = await gateway.took("the number is ended", ({ event_id }) => event_id === undefined);
  assert.deepEqual(cleared.counts, { unread: 0 });
  gateway.answer = () => 502;
  await say(alice, roomId, "two");
  await gateway.askedTimes(3);
  await say(bob, roomId, "another answer");
  gateway.answer = undefined;
  await say(alice, roomId, "three");
  assert.equal((await gateway.took("three is pushed", saying("three"))).counts.unread, 1);
  assert.equal(gateway.taken.filter(saying("two")).length, 0);
});

test("a gateway that fails is tried again until it takes it, in order, across a restart", async () => {
  await using gateway = await startPushGateway();
  const first = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(first);
  await watch(bob, gateway);
  gateway.answer = () => 500;
  const sent = [await say(alice, roomId, "1"), await say(alice, roomId, "2"), await say(alice, roomId, "3")];
  await gateway.askedTimes(2);
  await first.halt();
  gateway.answer = undefined;
  const second = await startTestServer({ config, databaseUrl: first.databaseUrl });
  await gateway.took("the last is pushed", about(sent[2] as string));
  assert.deepEqual(
    gateway.taken.map(({ event_id }) => event_id),
    sent,
  );
  await second.halt();
});

test("a pushkey that is rejected is a pusher that is gone, and others of the person stay", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  await watch(bob, gateway, { pushkey: "dead" });
  await watch(bob, gateway, { pushkey: "alive" });
  gateway.answer = () => ["dead"];
  const one = await say(alice, roomId, "one");
  for (const key of ["dead", "alive"])
    await gateway.took(`${key} is asked`, (each) => about(one)(each) && each.devices[0].pushkey === key);
  const two = await say(alice, roomId, "two");
  await gateway.took("two is pushed", about(two));
  const { pushers } = await bob.call("GET", "/_matrix/client/v3/pushers");
  assert.deepEqual(
    pushers.map(({ pushkey }: Json) => pushkey),
    ["alive"],
  );
  assert.equal(gateway.taken.filter(about(two)).length, 1);
});

test("a gateway inside the network is not asked unless the operator named it", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({
    config: { push: { hosts: readAllowed("gateway.example.org"), vapidKey: undefined } },
  });
  const { alice, bob, roomId } = await meet(server);
  await watch(bob, gateway);
  await say(alice, roomId, "hello");
  const failures = async () => {
    const row = await server.ctx.db.push.one<{ failures: number }>("select failures from push.pushers");
    return (row?.failures ?? 0) > 0;
  };
  while (!(await failures()));
  assert.deepEqual(gateway.taken, []);
});

test("somebody whose gateways never answer holds up nobody else's notifications", async () => {
  await using gateway = await startPushGateway();
  const held = new Set<Socket>();
  const silent = createServer((socket) => void held.add(socket));
  await using deaf = await listening(silent);
  await using server = await startTestServer({ config });
  const { alice, bob, roomId } = await meet(server);
  const [mallory] = (await people(server, "mallory")) as [Person];
  await alice.call("POST", roomPath(roomId, "invite"), { user_id: mallory.userId });
  await mallory.call("POST", roomPath(roomId, "join"), {});
  const url = `http://127.0.0.1:${deaf.port}/_matrix/push/v1/notify`;
  for (let i = 0; i < 2 * limits.pushesAtOnce; i++) await watch(mallory, gateway, { pushkey: `${i}`, data: { url } });
  await watch(bob, gateway);
  await say(alice, roomId, "hello");
  await gateway.took("the message is pushed to bob", saying("hello"));
  assert.ok(held.size <= limits.pushesOfOne, `${held.size} of one person at once`);
  for (const socket of held) socket.destroy();
});
