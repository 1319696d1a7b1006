/** Whom an application service acts as, and what others may not take from it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askAs, startService, type TestService } from "../../../testkit/src/appservice.ts";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";

const V3 = "/_matrix/client/v3";
const GHOST = "@_irc_ana:localhost";

async function register(server: TestServer, service: TestService, username: string) {
  const body = { type: "m.login.application_service", username, inhibit_login: true };
  return askAs(server.url, service, "POST", `${V3}/register`, {}, body);
}

async function startPair(registration: object = {}) {
  const irc = await startService("irc", registration);
  const server = await startTestServer({ config: { appservices: [irc.file] } });
  return {
    irc,
    server,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await irc[Symbol.asyncDispose]();
    },
  };
}

test("a service acts as its sender without more, and as users of its namespace once they are registered", async () => {
  await using pair = await startPair();
  const { server, irc } = pair;
  const whoami = (query: Record<string, string> = {}) => askAs(server.url, irc, "GET", `${V3}/account/whoami`, query);
  assert.deepEqual((await whoami()).body, { user_id: "@_irc_bot:localhost", is_guest: false });
  const unknown = await whoami({ user_id: GHOST });
  assert.deepEqual([unknown.status, unknown.body.errcode], [403, "M_FORBIDDEN"]);
  assert.deepEqual((await register(server, irc, "_irc_ana")).body, { user_id: GHOST, home_server: "localhost" });
  assert.equal((await whoami({ user_id: GHOST })).body.user_id, GHOST);
  await registerPerson(server.url, "bob");
  const other = await whoami({ user_id: "@bob:localhost" });
  assert.deepEqual([other.status, other.body.errcode], [403, "M_FORBIDDEN"]);
  const again = await register(server, irc, "_irc_ana");
  assert.deepEqual([again.status, again.body.errcode], [400, "M_USER_IN_USE"]);
});

test("a service gets a ticket for a stream as a device, and none without one", async () => {
  await using pair = await startPair();
  const { server, irc } = pair;
  await register(server, irc, "_irc_ana");
  const ticket = (query: Record<string, string>) =>
    askAs(server.url, irc, "POST", "/_parley/client/v1/stream/ticket", query, {});
  const queries: Record<string, string>[] = [{}, { user_id: GHOST }];
  for (const query of queries) {
    const { status, body } = await ticket(query);
    assert.deepEqual([status, body.errcode], [400, "M_MISSING_PARAM"]);
  }
  const device = `${V3}/devices/PHONE`;
  assert.equal((await askAs(server.url, irc, "PUT", device, { user_id: GHOST }, {})).status, 201);
  assert.equal((await ticket({ user_id: GHOST, device_id: "PHONE" })).status, 200);
});

test("registration and login by a service need its token and a name of its namespace", async () => {
  await using pair = await startPair();
  const { server, irc } = pair;
  const outside = await register(server, irc, "carol");
  assert.deepEqual([outside.status, outside.body.errcode], [400, "M_EXCLUSIVE"]);
  const body = { type: "m.login.application_service", username: "_irc_x" };
  for (const [token, errcode] of [
    [undefined, "M_MISSING_TOKEN"],
    ["somebody's", "M_UNKNOWN_TOKEN"],
  ] as const) {
    const answer = await request(server.url, "POST", `${V3}/register`, { body, ...(token ? { token } : {}) });
    assert.deepEqual([answer.status, answer.body.errcode], [401, errcode]);
    const login = await request(server.url, "POST", `${V3}/login`, { body, ...(token ? { token } : {}) });
    assert.deepEqual([login.status, login.body.errcode], [401, errcode]);
  }
  await register(server, irc, "_irc_ana");
  const login = (user: string) =>
    askAs(
      server.url,
      irc,
      "POST",
      `${V3}/login`,
      {},
      {
        type: "m.login.application_service",
        identifier: { type: "m.id.user", user },
        device_id: "LOGIN",
      },
    );
  const signedIn = await login("_irc_ana");
  assert.equal(signedIn.body.device_id, "LOGIN");
  const me = await request(server.url, "GET", `${V3}/account/whoami`, { token: signedIn.body.access_token });
  assert.equal(me.body.user_id, GHOST);
  assert.equal((await login("bob")).body.errcode, "M_EXCLUSIVE");
  const { body: flows } = await request(server.url, "GET", `${V3}/login`);
  assert.ok(flows.flows.some(({ type }: { type: string }) => type === "m.login.application_service"));
});

test("nobody else registers a user, or makes an alias, that a service keeps to itself", async () => {
  await using pair = await startPair();
  const { server, irc } = pair;
  const body = { username: "_irc_mallory", password: "a long password", auth: { type: "m.login.dummy" } };
  const taken = await request(server.url, "POST", `${V3}/register`, { body });
  assert.deepEqual([taken.status, taken.body.errcode], [400, "M_EXCLUSIVE"]);
  const available = await request(server.url, "GET", `${V3}/register/available?username=_irc_bot`);
  assert.equal(available.body.errcode, "M_EXCLUSIVE");
  const bob = await registerPerson(server.url, "bob");
  const room = await bob.ask("POST", `${V3}/createRoom`, { room_alias_name: "_irc_parley" });
  assert.deepEqual([room.status, room.body.errcode], [400, "M_EXCLUSIVE"]);
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, {});
  const path = `${V3}/directory/room/${encodeURIComponent("#_irc_parley:localhost")}`;
  assert.equal((await bob.ask("PUT", path, { room_id })).body.errcode, "M_EXCLUSIVE");
  const own = await askAs(server.url, irc, "POST", `${V3}/createRoom`, {}, { room_alias_name: "_irc_parley" });
  assert.equal(own.status, 200);
  assert.equal((await bob.ask("DELETE", path)).body.errcode, "M_EXCLUSIVE");
  const plain = await askAs(server.url, irc, "POST", `${V3}/createRoom`, {}, { room_alias_name: "plain" });
  assert.equal(plain.body.errcode, "M_EXCLUSIVE");
  assert.equal((await askAs(server.url, irc, "DELETE", path)).status, 200);
  const elsewhere = await askAs(server.url, irc, "PUT", path, {}, { room_id });
  assert.equal(elsewhere.status, 200, "of a room in which none of its users is");
  const unknown = await askAs(server.url, irc, "PUT", path, {}, { room_id: "!nowhere:localhost" });
  assert.deepEqual([unknown.status, unknown.body.errcode], [403, "M_FORBIDDEN"]);
});

test("a service gives messages and state the time of the network that they come from; nobody else can", async () => {
  await using pair = await startPair();
  const { server, irc } = pair;
  const { body } = await askAs(server.url, irc, "POST", `${V3}/createRoom`, {}, { preset: "public_chat" });
  const room = `${V3}/rooms/${encodeURIComponent(body.room_id)}`;
  const text = { msgtype: "m.text", body: "long ago" };
  const send = (query: Record<string, string>, txn: string) =>
    askAs(server.url, irc, "PUT", `${room}/send/m.room.message/${txn}`, query, text);
  const time = async (eventId: string) =>
    (await askAs(server.url, irc, "GET", `${room}/event/${encodeURIComponent(eventId)}`)).body.origin_server_ts;
  const sent = await send({ ts: "1000" }, "a");
  assert.equal(await time(sent.body.event_id), 1000);
  assert.equal((await send({ ts: "1000" }, "a")).body.event_id, sent.body.event_id);
  const topic = await askAs(server.url, irc, "PUT", `${room}/state/m.room.topic`, { ts: "2000" }, { topic: "old" });
  assert.equal(await time(topic.body.event_id), 2000);
  assert.equal((await send({ ts: "yesterday" }, "b")).body.errcode, "M_INVALID_PARAM");
  const bob = await registerPerson(server.url, "bob");
  await bob.call("POST", `${V3}/join/${encodeURIComponent(body.room_id)}`);
  const { event_id } = await bob.call("PUT", `${room}/send/m.room.message/c?ts=1000`, text);
  assert.notEqual(await time(event_id), 1000);
});

test("a service makes, uses and deletes devices of its users without signing in; a device that is not there is refused", async () => {
  await using pair = await startPair();
  const { server, irc } = pair;
  await register(server, irc, "_irc_ana");
  const as = { user_id: GHOST, device_id: "BRIDGE" };
  const whoami = (query: Record<string, string>) => askAs(server.url, irc, "GET", `${V3}/account/whoami`, query);
  const missing = await whoami(as);
  assert.deepEqual([missing.status, missing.body.errcode], [400, "M_UNKNOWN_DEVICE"]);
  const put = (name: string) =>
    askAs(server.url, irc, "PUT", `${V3}/devices/BRIDGE`, { user_id: GHOST }, { display_name: name });
  assert.equal((await put("bridge")).status, 201);
  assert.equal((await put("renamed")).status, 200);
  assert.equal((await whoami(as)).body.device_id, "BRIDGE");
  const unstable = { user_id: GHOST, "org.matrix.msc3202.device_id": "BRIDGE" };
  assert.equal((await whoami(unstable)).body.device_id, "BRIDGE");
  const upload = (query: Record<string, string>) =>
    askAs(server.url, irc, "POST", `${V3}/keys/upload`, query, { one_time_keys: {} });
  assert.equal((await upload(as)).status, 200);
  assert.equal((await upload({ user_id: GHOST })).status, 400);
  const pusher = {
    kind: "http",
    app_id: "org.example",
    pushkey: "key",
    app_display_name: "Example",
    device_display_name: "Bridge",
    lang: "en",
    data: { url: "https://push.example.org/_matrix/push/v1/notify" },
  };
  const watch = (query: Record<string, string>) => askAs(server.url, irc, "POST", `${V3}/pushers/set`, query, pusher);
  assert.deepEqual([(await watch({ user_id: GHOST })).status, (await watch(as)).status], [400, 200]);
  assert.equal((await askAs(server.url, irc, "DELETE", `${V3}/devices/BRIDGE`, { user_id: GHOST }, {})).status, 200);
  assert.equal((await whoami(as)).body.errcode, "M_UNKNOWN_DEVICE");
  const bob = await registerPerson(server.url, "bob");
  assert.equal((await bob.ask("PUT", `${V3}/devices/NEW`, {})).status, 404);
});

test("rate limits count for the users of a service unless its registration says otherwise, and never for its sender", async () => {
  for (const rate_limited of [true, false]) {
    await using irc = await startService("irc", { rate_limited });
    await using server = await startTestServer({ config: { appservices: [irc.file], rateLimits: true } });
    await register(server, irc, "_irc_ana");
    const burst = async (query: Record<string, string>) => {
      const body = { search_term: "x" };
      const path = `${V3}/user_directory/search`;
      const statuses = new Set<number>();
      for (let i = 0; i < 40; i++) statuses.add((await askAs(server.url, irc, "POST", path, query, body)).status);
      return statuses.has(429);
    };
    assert.deepEqual([await burst({ user_id: GHOST }), await burst({})], [rate_limited, false]);
  }
});
