/** What application services are sent: what is theirs, in order, again until they have it, and never twice under another id. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askAs, startService, type TestService } from "../../../testkit/src/appservice.ts";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { retryAfter_ms } from "./places.ts";

const V3 = "/_matrix/client/v3";
const GHOST = "@_irc_ana:localhost";
const inRoom = (roomId: string) => `${V3}/rooms/${encodeURIComponent(roomId)}`;

async function register(server: TestServer, service: TestService, username: string) {
  const body = { type: "m.login.application_service", username, inhibit_login: true };
  assert.equal((await askAs(server.url, service, "POST", `${V3}/register`, {}, body)).status, 200);
}

let sends = 0;
async function say(person: Person, roomId: string, body: string): Promise<string> {
  const content = { msgtype: "m.text", body };
  return (await person.call("PUT", `${inRoom(roomId)}/send/m.room.message/t${++sends}`, content)).event_id;
}

const bodies = (service: TestService) => service.events().flatMap(({ content }: Json) => content.body ?? []);
const hears = (service: TestService, body: string) =>
  service.until(`${service.id} hears ${body}`, () => bodies(service).includes(body));

test("a service is sent the rooms that its users are in, from the invitation to the leave, and no other", async () => {
  await using irc = await startService("irc");
  await using server = await startTestServer({ config: { appservices: [irc.file] } });
  await register(server, irc, "_irc_ana");
  const bob = await registerPerson(server.url, "bob");
  const { room_id: other } = await bob.call("POST", `${V3}/createRoom`, { name: "other" });
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, { name: "bridged" });
  await say(bob, room_id, "before");
  await bob.call("POST", `${inRoom(room_id)}/invite`, { user_id: GHOST });
  const invite = await irc.until("the invitation arrives", () =>
    irc.events().find(({ state_key }: Json) => state_key === GHOST),
  );
  assert.equal(invite.room_id, room_id);
  assert.ok(
    invite.unsigned.invite_room_state.some(
      ({ type, content }: Json) => type === "m.room.name" && content.name === "bridged",
    ),
  );
  await askAs(server.url, irc, "POST", `${inRoom(room_id)}/join`, { user_id: GHOST }, {});
  await say(bob, room_id, "inside");
  await say(bob, other, "elsewhere");
  const text = { msgtype: "m.text", body: "from irc" };
  await askAs(server.url, irc, "PUT", `${inRoom(room_id)}/send/m.room.message/a`, { user_id: GHOST }, text);
  await askAs(server.url, irc, "POST", `${inRoom(room_id)}/leave`, { user_id: GHOST }, {});
  await say(bob, room_id, "after");
  await bob.call("POST", `${inRoom(room_id)}/invite`, { user_id: GHOST });
  await irc.until(
    "the second invitation arrives",
    () => irc.events().filter(({ content }: Json) => content.membership === "invite").length === 2,
  );
  assert.deepEqual(bodies(irc), ["inside", "from irc"]);
  assert.ok(irc.asked.every(({ token }) => token === irc.hsToken));
  assert.equal(irc.transactions()[0]?.txnId, "1");
});

test("a service is sent rooms of its namespaces by their ids and by their aliases", async () => {
  await using all = await startService("all", { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } });
  await using named = await startService("named", {
    namespaces: { aliases: [{ exclusive: false, regex: "#lobby" }], users: [], rooms: [] },
  });
  await using server = await startTestServer({ config: { appservices: [all.file, named.file] } });
  const bob = await registerPerson(server.url, "bob");
  const { room_id: lobby } = await bob.call("POST", `${V3}/createRoom`, { room_alias_name: "lobby" });
  const { room_id: other } = await bob.call("POST", `${V3}/createRoom`, {});
  await say(bob, other, "in the other");
  await say(bob, lobby, "in the lobby");
  await Promise.all([hears(all, "in the lobby"), hears(named, "in the lobby")]);
  assert.deepEqual(bodies(all), ["in the other", "in the lobby"]);
  assert.deepEqual(bodies(named), ["in the lobby"]);
});

test("while a service is away nothing is lost or reordered, the same transaction comes again, and no other service waits", async () => {
  const rooms = { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } };
  await using away = await startService("away", rooms);
  await using there = await startService("there", rooms);
  let isAway = true;
  away.answer = () => ({ status: isAway ? 503 : 200 });
  await using server = await startTestServer({ config: { appservices: [away.file, there.file] } });
  const bob = await registerPerson(server.url, "bob");
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, {});
  const texts = Array.from({ length: 120 }, (_, i) => `message ${i}`);
  for (const text of texts) await say(bob, room_id, text);
  await hears(there, "message 119");
  const first = await away.until("it was asked twice", (asked) => asked.length >= 2 && asked.slice(0, 2));
  assert.equal(first[0]?.path, "/_matrix/app/v1/transactions/1");
  assert.deepEqual(first[1], first[0]);
  isAway = false;
  await hears(away, "message 119");
  for (const service of [away, there]) {
    assert.deepEqual(bodies(service), texts);
    assert.ok(service.transactions().every(({ body }) => body.events.length <= limits.serviceTransaction_events));
    assert.deepEqual(
      service.transactions().map(({ txnId }) => Number(txnId)),
      service.transactions().map((_, i) => i + 1),
    );
  }
});

test("a service that was away is sent what was said while its user was in the room, though the user has left since", async () => {
  await using irc = await startService("irc");
  await using server = await startTestServer({ config: { appservices: [irc.file] } });
  await register(server, irc, "_irc_ana");
  const bob = await registerPerson(server.url, "bob");
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, { preset: "public_chat" });
  let isAway = true;
  irc.answer = () => ({ status: isAway ? 500 : 200 });
  await askAs(server.url, irc, "POST", `${inRoom(room_id)}/join`, { user_id: GHOST }, {});
  await irc.until("it was asked", (asked) => asked.length > 0);
  await say(bob, room_id, "while ana was there");
  await askAs(server.url, irc, "POST", `${inRoom(room_id)}/leave`, { user_id: GHOST }, {});
  await say(bob, room_id, "when ana had left");
  isAway = false;
  await irc.until("the leave arrives", () => irc.events().some(({ content }: Json) => content.membership === "leave"));
  assert.deepEqual(bodies(irc), ["while ana was there"]);
});

test("a transaction that was on its way when the process ended comes again as it was, before anything newer", async () => {
  await using irc = await startService("irc", { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } });
  const config = { appservices: [irc.file] };
  const before = await startTestServer({ config });
  const bob = await registerPerson(before.url, "bob");
  irc.answer = () => new Promise(() => {});
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, {});
  const eventId = await say(bob, room_id, "on its way");
  const [lost] = await irc.until("it is asked", (asked) => asked.length > 0 && [...asked]);
  await bob.call("PUT", `${inRoom(room_id)}/redact/${encodeURIComponent(eventId)}/r`, {});
  await before.halt();
  irc.answer = () => ({ status: 200 });
  await using after = await startTestServer({ config, databaseUrl: before.databaseUrl });
  const again = Object.assign(bob, {
    call: async (method: string, path: string, body?: unknown) =>
      (
        await (
          await import("../../../testkit/src/http.ts")
        ).request(after.url, method, path, { token: bob.token, body })
      ).body,
  });
  await say(again, room_id, "newer");
  await hears(irc, "newer");
  const repeated = irc.asked.filter(({ path }) => path === lost?.path);
  assert.equal(repeated.length, 2);
  assert.deepEqual(repeated[1]?.body, lost?.body);
  assert.equal(new Set(irc.events().map(({ event_id }: Json) => event_id)).size, irc.events().length);
});

test("who asks for ephemeral data gets typing, receipts and presence; private receipts only of its own users", async () => {
  await using irc = await startService("irc", { receive_ephemeral: true, "de.sorunome.msc2409.push_ephemeral": true });
  await using deaf = await startService("deaf", { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } });
  await using server = await startTestServer({ config: { appservices: [irc.file, deaf.file] } });
  await register(server, irc, "_irc_ana");
  const bob = await registerPerson(server.url, "bob");
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, { preset: "public_chat" });
  await askAs(server.url, irc, "POST", `${inRoom(room_id)}/join`, { user_id: GHOST }, {});
  const eventId = await say(bob, room_id, "read this");
  const receipt = (type: string) => `${inRoom(room_id)}/receipt/${type}/${encodeURIComponent(eventId)}`;
  await bob.call("POST", receipt("m.read.private"), {});
  await askAs(server.url, irc, "POST", receipt("m.read.private"), { user_id: GHOST }, {});
  await bob.call("POST", receipt("m.read"), {});
  await bob.call("PUT", `${inRoom(room_id)}/typing/${encodeURIComponent(bob.userId)}`, {
    typing: true,
    timeout: 30_000,
  });
  await bob.call("PUT", `${V3}/presence/${encodeURIComponent(bob.userId)}/status`, { presence: "unavailable" });
  const ephemeral = () => irc.transactions().flatMap(({ body }) => body.ephemeral ?? []);
  const find = (look: (event: Json) => unknown) => irc.until("it arrives", () => ephemeral().find(look));
  const typing = await find(({ type }) => type === "m.typing");
  assert.deepEqual([typing.room_id, typing.content.user_ids], [room_id, ["@bob:localhost"]]);
  const read = await find(({ content }) => content[eventId]?.["m.read"]);
  assert.equal(read.room_id, room_id);
  assert.ok(read.content[eventId]["m.read"]["@bob:localhost"].ts > 0);
  await find(
    ({ type, sender, content }) => type === "m.presence" && sender === bob.userId && content.presence === "unavailable",
  );
  const privately = ephemeral().flatMap(({ content }: Json) => Object.keys(content[eventId]?.["m.read.private"] ?? {}));
  assert.deepEqual(privately, [GHOST]);
  for (const { body } of irc.transactions()) assert.deepEqual(body["de.sorunome.msc2409.ephemeral"], body.ephemeral);
  await hears(deaf, "read this");
  assert.ok(deaf.transactions().every(({ body }) => body.ephemeral === undefined));
});

test("who keeps keys of its users is sent their to-device messages once, changed device lists, and counts of keys", async () => {
  await using irc = await startService("irc", { "org.matrix.msc3202": true });
  await using server = await startTestServer({ config: { appservices: [irc.file] } });
  await register(server, irc, "_irc_ana");
  const as = { user_id: GHOST, device_id: "BRIDGE" };
  await askAs(server.url, irc, "PUT", `${V3}/devices/BRIDGE`, { user_id: GHOST }, {});
  const keys = { device_id: "BRIDGE", user_id: GHOST, algorithms: [], keys: { "ed25519:BRIDGE": "a" }, signatures: {} };
  const uploaded = await askAs(server.url, irc, "POST", `${V3}/keys/upload`, as, {
    device_keys: keys,
    one_time_keys: { "signed_curve25519:A": { key: "a", signatures: {} } },
  });
  assert.equal(uploaded.status, 200);
  const counts = await irc.until("the counts arrive", () =>
    irc
      .transactions()
      .map(({ body }) => body["org.matrix.msc3202.device_one_time_keys_count"])
      .find((each) => each),
  );
  assert.deepEqual(counts, { [GHOST]: { BRIDGE: { signed_curve25519: 1 } } });
  const bob = await registerPerson(server.url, "bob");
  const messages = { [GHOST]: { BRIDGE: { secret: 1 } }, [bob.userId]: { [bob.deviceId]: { secret: 2 } } };
  await bob.call("PUT", `${V3}/sendToDevice/m.test/1`, { messages });
  const toDevice = () => irc.transactions().flatMap(({ body }) => body["de.sorunome.msc2409.to_device"] ?? []);
  await irc.until("the message arrives", () => toDevice().length > 0);
  assert.deepEqual(toDevice(), [
    { type: "m.test", sender: bob.userId, content: { secret: 1 }, to_user_id: GHOST, to_device_id: "BRIDGE" },
  ]);
  const { room_id } = await bob.call("POST", `${V3}/createRoom`, { preset: "public_chat" });
  await askAs(server.url, irc, "POST", `${inRoom(room_id)}/join`, { user_id: GHOST }, {});
  const own = { ...keys, device_id: bob.deviceId, user_id: bob.userId, keys: { [`ed25519:${bob.deviceId}`]: "a" } };
  await bob.call("POST", `${V3}/keys/upload`, { device_keys: own });
  await irc.until("the change arrives", () =>
    irc.transactions().some(({ body }) => body["org.matrix.msc3202.device_lists"]?.changed.includes(bob.userId)),
  );
  assert.equal(toDevice().length, 1);
  const left = await server.ctx.db.log.query("select 1 from log.entries where kind = 'to_device' and user_id = $1", [
    GHOST,
  ]);
  assert.equal(left.length, 0);
});

test("a service of before there were versions is sent its transactions at the older path, with the token in the query", async () => {
  await using old = await startService("old", { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } });
  old.answer = ({ path }) => (path.startsWith("/_matrix") ? { status: 404, body: "Cannot PUT" } : { status: 200 });
  await using server = await startTestServer({ config: { appservices: [old.file] } });
  const bob = await registerPerson(server.url, "bob");
  await bob.call("POST", `${V3}/createRoom`, {});
  const asked = await old.until("the older path is used", (all) => all.find(({ path }) => path === "/transactions/1"));
  assert.equal(asked.query.get("access_token"), old.hsToken);
  assert.equal(asked.token, old.hsToken);
});

test("the wait between tries doubles, up to a minute", () => {
  assert.deepEqual([0, 1, 2, 3].map(retryAfter_ms), [1_000, 2_000, 4_000, 8_000]);
  assert.equal(retryAfter_ms(50), limits.serviceRetryMost_ms);
});
