import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { people } from "../../../testkit/src/syncing.ts";
import { limits } from "../limits.ts";
import { placeFor, readAllowed } from "../outward/guard.ts";
import { guardOf } from "./sender/gateway.ts";

const SET = "/_matrix/client/v3/pushers/set";
const URL_ = "https://push.example.org/_matrix/push/v1/notify";

function pusher(change: Json = {}): Json {
  return {
    kind: "http",
    app_id: "org.example.app",
    pushkey: "key",
    app_display_name: "App",
    device_display_name: "Phone",
    profile_tag: "tag",
    lang: "en",
    data: { url: URL_, format: "event_id_only", brand: "mine" },
    ...change,
  };
}

async function keysOf(person: Person): Promise<string[]> {
  const { pushers } = await person.call("GET", "/_matrix/client/v3/pushers");
  return pushers.map(({ pushkey }: Json) => pushkey);
}

test("a pusher is told back as it was set, changed by its app and key, and deleted by kind null", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  assert.deepEqual(await alice.call("POST", SET, pusher()), {});
  assert.deepEqual((await alice.call("GET", "/_matrix/client/v3/pushers")).pushers, [pusher()]);
  await alice.call("POST", SET, pusher({ lang: "de", data: { url: URL_ } }));
  await alice.call("POST", SET, pusher({ pushkey: "other" }));
  const { pushers } = await alice.call("GET", "/_matrix/client/v3/pushers");
  assert.deepEqual(pushers, [pusher({ lang: "de", data: { url: URL_ } }), pusher({ pushkey: "other" })]);
  const gone = { kind: null, app_id: "org.example.app", pushkey: "key" };
  await alice.call("POST", SET, gone);
  await alice.call("POST", SET, gone);
  assert.deepEqual(await keysOf(alice), ["other"]);
});

test("one key belongs to one person, unless the client appends", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  await alice.call("POST", SET, pusher());
  await bob.call("POST", SET, pusher({ append: true }));
  assert.deepEqual([await keysOf(alice), await keysOf(bob)], [["key"], ["key"]]);
  await bob.call("POST", SET, pusher());
  assert.deepEqual([await keysOf(alice), await keysOf(bob)], [[], ["key"]]);
});

test("what is missing or wrong in a pusher is told", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const key = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString("base64url");
  const auth = Buffer.alloc(16, 1).toString("base64url");
  const web = { kind: "webpush", pushkey: key };
  const cases: [string, Json][] = [
    ["M_MISSING_PARAM", pusher({ lang: undefined, data: undefined })],
    ["M_MISSING_PARAM", pusher({ kind: undefined })],
    ["M_MISSING_PARAM", pusher({ pushkey: undefined })],
    ["M_MISSING_PARAM", pusher({ data: {} })],
    ["M_INVALID_PARAM", pusher({ kind: "email" })],
    ["M_INVALID_PARAM", pusher({ data: { url: "http://push.example.org/_matrix/push/v1/notify" } })],
    ["M_INVALID_PARAM", pusher({ data: { url: "https://push.example.org/elsewhere" } })],
    ["M_INVALID_PARAM", pusher({ data: { url: "https://a:b@push.example.org/_matrix/push/v1/notify" } })],
    ["M_INVALID_PARAM", pusher({ data: { url: 7 } })],
    ["M_BAD_JSON", pusher({ app_id: "x".repeat(65) })],
    ["M_BAD_JSON", pusher({ pushkey: "ä".repeat(257) })],
    ["M_TOO_LARGE", pusher({ data: { url: URL_, more: "x".repeat(limits.pusherData_bytes) } })],
    ["M_MISSING_PARAM", pusher({ ...web, data: { url: "https://push.example.org/1" } })],
    ["M_MISSING_PARAM", pusher({ ...web, data: { auth } })],
    ["M_INVALID_PARAM", pusher({ ...web, data: { url: "https://push.example.org/1", auth: "short" } })],
    ["M_INVALID_PARAM", pusher({ kind: "webpush", data: { url: "https://push.example.org/1", auth } })],
    ["M_INVALID_PARAM", pusher({ ...web, data: { url: "http://push.example.org/1", auth } })],
  ];
  for (const [errcode, body] of cases) {
    const { status, body: told } = await alice.ask("POST", SET, body);
    assert.equal(told.errcode, errcode, JSON.stringify(body).slice(0, 300));
    assert.equal(status, errcode === "M_TOO_LARGE" ? 413 : 400);
  }
  assert.deepEqual(await keysOf(alice), []);
  await alice.call("POST", SET, pusher({ ...web, data: { endpoint: "https://push.example.org/1", auth } }));
  assert.equal((await alice.call("GET", "/_matrix/client/v3/pushers")).pushers[0].activated, true);
});

test("a gateway without TLS is for hosts that the operator named", async () => {
  await using server = await startTestServer({
    config: { push: { hosts: readAllowed("127.0.0.1"), vapidKey: undefined } },
  });
  const [alice] = (await people(server, "alice")) as [Person];
  await alice.call("POST", SET, pusher({ data: { url: "http://127.0.0.1:1/_matrix/push/v1/notify" } }));
  const mayReach = (host: string, protocol: string) =>
    placeFor({ host, port: 80 }, guardOf(server.ctx, `${protocol}://${host}/_matrix/push/v1/notify`)).then(
      () => true,
      ({ errcode }) => errcode !== "M_FORBIDDEN",
    );
  for (const [host, protocol, isReached] of [
    ["127.0.0.1", "http", true],
    ["8.8.8.8", "https", true],
    ["8.8.8.8", "http", false],
    ["10.0.0.1", "https", false],
  ] as const)
    assert.equal(await mayReach(host, protocol), isReached, `${protocol}://${host}`);
});

test("a person has so many pushers, and no more", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  for (let n = 0; n < limits.pushers; n++) await alice.call("POST", SET, pusher({ pushkey: `key ${n}` }));
  assert.equal((await alice.ask("POST", SET, pusher({ pushkey: "more" }))).body.errcode, "M_TOO_LARGE");
  await alice.call("POST", SET, pusher({ pushkey: "key 0", lang: "fr" }));
  assert.equal((await keysOf(alice)).length, limits.pushers);
});

test("a pusher goes with the session that set it: signing out, deleting the device, changing the password", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const [phone, tablet, laptop] = [
    await signInPerson(server.url, "alice"),
    await signInPerson(server.url, "alice"),
    await signInPerson(server.url, "alice"),
  ];
  await alice.call("POST", SET, pusher({ pushkey: "own" }));
  await phone.call("POST", SET, pusher({ pushkey: "phone" }));
  await tablet.call("POST", SET, pusher({ pushkey: "tablet" }));
  await laptop.call("POST", SET, pusher({ pushkey: "laptop" }));
  await phone.call("POST", "/_matrix/client/v3/logout", {});
  assert.deepEqual(await keysOf(alice), ["own", "tablet", "laptop"]);
  await laptop.call("POST", SET, pusher({ pushkey: "tablet" }));
  await tablet.call("POST", "/_matrix/client/v3/logout", {});
  assert.deepEqual(await keysOf(alice), ["own", "tablet", "laptop"], "it is of the session that set it last");
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "alice" },
    password: "password of alice",
  };
  const body = { new_password: "another password", auth };
  const { status } = await request(server.url, "POST", "/_matrix/client/v3/account/password", {
    token: alice.token,
    body,
  });
  assert.equal(status, 200);
  assert.deepEqual(await keysOf(alice), ["own"]);
});
