import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import type { Json, Person } from "../../../../testkit/src/http.ts";
import { type PushService, startPushService } from "../../../../testkit/src/push-service.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { people, roomOf, roomPath, say } from "../../../../testkit/src/syncing.ts";
import { readAllowed } from "../../outward/guard.ts";

const config = { push: { hosts: readAllowed("127.0.0.1"), vapidKey: undefined } };
const APP = "io.example.web";

async function subscribe(person: Person, { subscription }: PushService, data: Json = {}): Promise<void> {
  const { endpoint, p256dh, auth } = subscription;
  await person.call("POST", "/_matrix/client/v3/pushers/set", {
    kind: "webpush",
    app_id: APP,
    pushkey: p256dh,
    app_display_name: "Web",
    device_display_name: "Browser",
    lang: "en",
    data: { url: endpoint, auth, ...data },
  });
}

const vapidOf = async (person: Person): Promise<string> =>
  (await person.call("GET", "/_matrix/client/v3/capabilities")).capabilities["m.webpush"].vapid;

test("a browser gets what it can decrypt, signed by the key that the server tells", async () => {
  await using service = await startPushService();
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await subscribe(bob, service, { default_payload: { account: 7 } });
  const eventId = await say(alice, roomId, "hello");
  const message = await service.took("the message arrives", ({ content }) => content?.body === "hello");
  assert.deepEqual(message, {
    account: 7,
    event_id: eventId,
    id: eventId,
    room_id: roomId,
    type: "m.room.message",
    sender: alice.userId,
    sender_display_name: "alice",
    prio: "high",
    content: { msgtype: "m.text", body: "hello" },
    unread: 1,
  });
  const [{ headers, claims, publicKey }] = service.taken as [PushService["taken"][number]];
  assert.equal(publicKey, await vapidOf(bob));
  assert.equal(claims.aud, new URL(service.subscription.endpoint).origin);
  assert.ok(claims.exp > Date.now() / 1_000 && claims.exp < Date.now() / 1_000 + 86_400);
  assert.equal(claims.sub, "mailto:postmaster@localhost");
  assert.deepEqual([headers["content-encoding"], headers["urgency"], headers["ttl"]], ["aes128gcm", "high", "86400"]);
});

test("of an encrypted room a browser is told who wrote and where, and of what is too long its id", async () => {
  await using service = await startPushService();
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await subscribe(bob, service);
  const long = await say(alice, roomId, "x".repeat(10_000));
  const path = roomPath(roomId, "send/m.room.encrypted/1");
  const { event_id: secret } = await alice.call("PUT", path, { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "…" });
  const short = await service.took("the long one arrives", ({ event_id }) => event_id === long);
  assert.deepEqual(Object.keys(short).toSorted(), ["event_id", "prio", "room_id", "unread"]);
  const encrypted = await service.took("the encrypted one arrives", ({ event_id }) => event_id === secret);
  assert.equal(encrypted.sender_display_name, "alice");
  assert.equal(encrypted.content, undefined);
});

test("numbers alone are for who wants them, and a subscription that is over takes its pusher along", async () => {
  await using wants = await startPushService();
  await using wantsNot = await startPushService();
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await subscribe(bob, wants);
  await subscribe(bob, wantsNot, { events_only: true });
  const one = await say(alice, roomId, "one");
  for (const service of [wants, wantsNot]) await service.took("one arrives", ({ event_id }) => event_id === one);
  await bob.call("POST", roomPath(roomId, `receipt/m.read/${one}`), {});
  await wants.took("the number arrives", ({ unread }) => unread === 0);
  wants.status = 410;
  const two = await say(alice, roomId, "two");
  await wantsNot.took("two arrives", ({ event_id }) => event_id === two);
  assert.equal(wantsNot.taken.length, 2);
  const left = async () =>
    (await bob.call("GET", "/_matrix/client/v3/pushers")).pushers.map(({ pushkey }: Json) => pushkey);
  while ((await left()).length > 1);
  assert.deepEqual(await left(), [wantsNot.subscription.p256dh]);
});

test("a try arrives, and is for pushers that there are", async () => {
  await using service = await startPushService();
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  await subscribe(alice, service);
  const body = { app_id: APP, pushkey: service.subscription.p256dh };
  assert.deepEqual(await alice.call("POST", "/_parley/client/v1/push/test", body), {});
  assert.deepEqual(await service.took("the try arrives", () => true), { type: "io.parley.test", prio: "high" });
  assert.equal((await bob.ask("POST", "/_parley/client/v1/push/test", body)).body.errcode, "M_NOT_FOUND");
});

test("all processes have one key, a restart keeps it, and a setting goes before it", async () => {
  await using first = await startTestServer({ config });
  await using second = await startTestServer({ config, databaseUrl: first.databaseUrl });
  const [alice] = (await people(first, "alice")) as [Person];
  const bob = (await people(second, "bob"))[0] as Person;
  assert.equal(await vapidOf(alice), await vapidOf(bob));
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(Buffer.alloc(32, 7));
  const push = { ...config.push, vapidKey: Buffer.alloc(32, 7).toString("base64url") as never };
  await using third = await startTestServer({ config: { push }, databaseUrl: first.databaseUrl });
  const carol = (await people(third, "carol"))[0] as Person;
  assert.equal(await vapidOf(carol), pair.getPublicKey("base64url"));
});
