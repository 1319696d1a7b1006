import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { createLastSeen } from "./last-seen.ts";

const server = await startTestServer({ config: { roles: ["auth"] } });
after(() => server.stop());

const DEVICES = "/_matrix/client/v3/devices";
const WHOAMI = "/_matrix/client/v3/account/whoami";

function passwordOf(name: string, session?: string) {
  return {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: name },
    password: `password of ${name}`,
    session,
  };
}

async function deviceIds(person: Person): Promise<string[]> {
  const { devices } = await person.call("GET", DEVICES);
  return devices.map((device: { device_id: string }) => device.device_id);
}

test("a person sees their own devices and nobody else's", async () => {
  const alice = await registerPerson(server.url, "alice", { device_id: "A1" });
  await signInPerson(server.url, "alice", { device_id: "A2" });
  const bob = await registerPerson(server.url, "bob", { device_id: "B1" });
  assert.deepEqual(await deviceIds(alice), ["A1", "A2"]);
  const other = await bob.ask("GET", `${DEVICES}/A1`);
  assert.deepEqual([other.status, other.body.errcode], [404, "M_NOT_FOUND"]);
  const own = await alice.call("GET", `${DEVICES}/A1`);
  assert.deepEqual([own.user_id, own.last_seen_ip], [alice.userId, "127.0.0.1"]);
  assert.ok(Math.abs(own.last_seen_ts - Date.now()) < 60_000);
});

test("a rename changes the name, is told to others as a changed device list, and needs the device", async () => {
  const carol = await registerPerson(server.url, "carol", { device_id: "C1" });
  assert.deepEqual(await carol.call("PUT", `${DEVICES}/C1`, { display_name: "Jungle phone" }), {});
  assert.equal((await carol.call("GET", `${DEVICES}/C1`)).display_name, "Jungle phone");
  const entries = await server.ctx.db.log.query("select kind from log.entries where user_id = $1", [carol.userId]);
  assert.deepEqual(entries, [{ kind: "device_list" }]);
  await carol.call("PUT", `${DEVICES}/C1`, {});
  assert.equal((await carol.call("GET", `${DEVICES}/C1`)).display_name, "Jungle phone");
  assert.equal((await carol.ask("PUT", `${DEVICES}/NONE`, { display_name: "x" })).status, 404);
  assert.equal((await carol.ask("PUT", `${DEVICES}/C1`, { display_name: "a\0b" })).status, 400);
  assert.equal((await carol.ask("GET", `${DEVICES}/a%00b`)).status, 400);
});

test("deleting a device asks for the password, and ends its session", async () => {
  const dave = await registerPerson(server.url, "dave", { device_id: "D1" });
  const lost = await signInPerson(server.url, "dave", { device_id: "D2" });
  const challenge = await dave.ask("DELETE", `${DEVICES}/D2`, {});
  assert.equal(challenge.status, 401);
  assert.deepEqual(challenge.body.flows, [{ stages: ["m.login.password"] }]);
  assert.equal((await lost.ask("GET", WHOAMI)).status, 200);
  const wrong = await dave.ask("DELETE", `${DEVICES}/D2`, {
    auth: { ...passwordOf("dave", challenge.body.session), password: "wrong" },
  });
  assert.deepEqual([wrong.status, wrong.body.errcode], [401, "M_FORBIDDEN"]);
  await dave.call("DELETE", `${DEVICES}/D2`, { auth: passwordOf("dave", wrong.body.session) });
  assert.equal((await lost.ask("GET", WHOAMI)).status, 401);
  assert.deepEqual(await deviceIds(dave), ["D1"]);
  await dave.call("DELETE", `${DEVICES}/D2`, { auth: passwordOf("dave") });
});

test("several devices go at once, and only one's own", async () => {
  const erin = await registerPerson(server.url, "erin", { device_id: "E1" });
  for (const device_id of ["E2", "E3"]) await signInPerson(server.url, "erin", { device_id });
  const frank = await registerPerson(server.url, "frank", { device_id: "F1" });
  const devices = ["E2", "E3", "F1", "NONE"];
  await erin.call("POST", "/_matrix/client/v3/delete_devices", { devices, auth: passwordOf("erin") });
  assert.deepEqual(await deviceIds(erin), ["E1"]);
  assert.deepEqual(await deviceIds(frank), ["F1"]);
});

test("when and where a session was seen last is written in one batch", async () => {
  const grace = await registerPerson(server.url, "grace", { device_id: "G1" });
  const { id } = await server.ctx.authenticate(grace.token);
  const past = "update auth.sessions set last_seen_at = now() - interval '1 day' where session_id = $1";
  await server.ctx.db.auth.change(past, [id]);
  const lastSeen = createLastSeen(server.ctx.db.auth, server.ctx.seams);
  lastSeen.note(id, "192.0.2.1");
  lastSeen.note(id, "192.0.2.7");
  await lastSeen.close();
  const device = await grace.call("GET", `${DEVICES}/G1`);
  assert.equal(device.last_seen_ip, "192.0.2.7");
  assert.ok(Math.abs(device.last_seen_ts - Date.now()) < 60_000);
});

/** A message to the device, as something that the keys domain keeps for it. */
async function send(userId: string, deviceId: string): Promise<void> {
  const body = JSON.stringify({ sender: userId, type: "x", content: {} });
  const entry = { kind: "to_device", user: userId, device: deviceId, type: "x", body } as const;
  await server.ctx.log.append({ lane: userId, entries: [entry] });
}

async function waiting(userId: string): Promise<string[]> {
  const rows = await server.ctx.db.log.query<{ device: string }>(
    "select device_id as device from log.entries where kind = 'to_device' and user_id = $1 order by position",
    [userId],
  );
  return rows.map(({ device }) => device);
}

test("what waits for a device goes with it, and only that", async () => {
  const heidi = await registerPerson(server.url, "heidi", { device_id: "H1" });
  for (const device_id of ["H2", "H3"]) await signInPerson(server.url, "heidi", { device_id });
  for (const id of ["H1", "H2", "H3"]) await send(heidi.userId, id);
  await heidi.call("DELETE", `${DEVICES}/H2`, { auth: passwordOf("heidi") });
  assert.deepEqual(await waiting(heidi.userId), ["H1", "H3"]);
  const change = { new_password: "password of heidi", auth: passwordOf("heidi") };
  await heidi.call("POST", "/_matrix/client/v3/account/password", change);
  assert.deepEqual(await waiting(heidi.userId), ["H1"]);
  await heidi.call("POST", "/_matrix/client/v3/logout");
  assert.deepEqual(await waiting(heidi.userId), []);
});

test("a new session gets nothing that was meant for an earlier one of the same device id", async () => {
  const ivan = await registerPerson(server.url, "ivan", { device_id: "I1" });
  await ivan.call("POST", "/_matrix/client/v3/logout");
  await send(ivan.userId, "I1");
  await signInPerson(server.url, "ivan", { device_id: "I1" });
  assert.deepEqual(await waiting(ivan.userId), []);
  await send(ivan.userId, "I1");
  await signInPerson(server.url, "ivan", { device_id: "I1" });
  assert.deepEqual(await waiting(ivan.userId), ["I1"], "the same session goes on");
});

test("what waits for a person goes with the account", async () => {
  const judy = await registerPerson(server.url, "judy", { device_id: "J1" });
  await send(judy.userId, "J1");
  await judy.call("POST", "/_matrix/client/v3/account/deactivate", { auth: passwordOf("judy") });
  assert.deepEqual(await waiting(judy.userId), []);
});
