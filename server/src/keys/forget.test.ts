import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { forgetDevices, forgetUser } from "./forget.ts";
import {
  crossSigningOf,
  deviceKeysOf,
  fallbackKeyOf,
  oneTimeKeysOf,
  query,
  uploadDevice,
  V3,
} from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());
const bob = await registerPerson(server.url, "bob");

const TABLES = [
  "devices",
  "one_time_keys",
  "fallback_keys",
  "cross_signing",
  "signatures",
  "dehydrated_devices",
  "backups",
  "backup_keys",
];

/** How many rows each table has of the person; in signatures, those on their keys and those that they made. */
async function rowsOf(userId: string): Promise<Record<string, number>> {
  const counts = TABLES.map(async (table) => {
    const signer = table === "signatures" ? "or signer = $1" : "";
    const sql = `select 1 from keys.${table} where user_id = $1 ${signer}`;
    return [table, (await server.ctx.db.keys.query(sql, [userId])).length] as const;
  });
  const messages = "select 1 from log.entries where kind = 'to_device' and user_id = $1";
  const waiting = (await server.ctx.db.log.query(messages, [userId])).length;
  return { ...Object.fromEntries(await Promise.all(counts)), waiting };
}

async function uploadAll(device: Person): Promise<void> {
  await device.call("POST", `${V3}/keys/upload`, {
    device_keys: deviceKeysOf(device),
    one_time_keys: oneTimeKeysOf(device, 2),
    fallback_keys: fallbackKeyOf(device, "F"),
  });
  const messages = { [device.userId]: { [device.deviceId]: {} } };
  await bob.call("PUT", `${V3}/sendToDevice/m.dummy/to${device.deviceId}`, { messages });
}

const sign = (person: Person, objects: object) =>
  person.call("POST", `${V3}/keys/signatures/upload`, { [person.userId]: objects });

test("of forgotten devices nothing stays, of the person's others everything", async () => {
  const alice = await registerPerson(server.url, "alice");
  const other = await signInPerson(server.url, "alice");
  for (const device of [alice, other]) await uploadAll(device);
  const keys = crossSigningOf(alice, "alice");
  await alice.call("POST", `${V3}/keys/device_signing/upload`, keys);
  for (const device of [alice, other]) {
    const bySelf = { [alice.userId]: { "ed25519:aliceSelf": "s" } };
    const byDevice = { [alice.userId]: { [`ed25519:${device.deviceId}`]: "s" } };
    await sign(device, {
      [device.deviceId]: { ...deviceKeysOf(device), signatures: bySelf },
      aliceMaster: { ...keys.master_key, signatures: byDevice },
    });
  }
  const before = await rowsOf(alice.userId);
  assert.deepEqual(
    [before["devices"], before["one_time_keys"], before["fallback_keys"], before["signatures"], before["waiting"]],
    [2, 4, 2, 4, 2],
  );
  await forgetDevices(server.ctx, alice.userId, [other.deviceId]);
  const left = await rowsOf(alice.userId);
  assert.deepEqual(
    [left["devices"], left["one_time_keys"], left["fallback_keys"], left["signatures"], left["waiting"]],
    [1, 2, 1, 2, 1],
  );
  assert.equal(left["cross_signing"], 3);
  const { device_keys } = await query(bob, [alice]);
  assert.deepEqual(Object.keys(device_keys[alice.userId]), [alice.deviceId]);
});

test("of a forgotten person nothing stays, and others are told", async () => {
  const carol = await registerPerson(server.url, "carol");
  await uploadAll(carol);
  for (const person of [bob, carol])
    await person.call("POST", `${V3}/keys/device_signing/upload`, crossSigningOf(person, person.userId.slice(1, 4)));
  const { master_key } = crossSigningOf(bob, "bob");
  const signatures = { [carol.userId]: { "ed25519:carUser": "s" } };
  const ofBob = { [bob.userId]: { bobMaster: { ...master_key, signatures } } };
  assert.deepEqual(await carol.call("POST", `${V3}/keys/signatures/upload`, ofBob), { failures: {} });
  await carol.call("POST", `${V3}/room_keys/version`, {
    algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
    auth_data: {},
  });
  const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };
  await carol.call("PUT", `${V3}/room_keys/keys/!r:localhost/s?version=1`, key);
  const dehydrated = { userId: carol.userId, deviceId: "DEHYDRATED" };
  await carol.call("PUT", "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device", {
    device_id: "DEHYDRATED",
    device_data: {},
    device_keys: deviceKeysOf(dehydrated),
  });
  for (const [table, rows] of Object.entries(await rowsOf(carol.userId))) assert.ok(rows > 0, table);

  await forgetUser(server.ctx, carol.userId);
  for (const [table, rows] of Object.entries(await rowsOf(carol.userId))) assert.equal(rows, 0, table);
  const last = await server.ctx.db.log.one<object>(
    "select kind, type from log.entries where user_id = $1 order by position desc limit 1",
    [carol.userId],
  );
  assert.deepEqual(last, { kind: "device_list", type: "changed" });
});

test("a device that signs out takes its keys with it", async () => {
  const dave = await registerPerson(server.url, "dave");
  await uploadDevice(dave);
  await dave.call("POST", `${V3}/logout`, {});
  assert.equal((await rowsOf(dave.userId))["devices"], 0);
});

test("a deactivated account takes all its keys with it", async () => {
  const erin = await registerPerson(server.url, "erin");
  await uploadAll(erin);
  await erin.call("POST", `${V3}/keys/device_signing/upload`, crossSigningOf(erin, "erin"));
  const identifier = { type: "m.id.user", user: "erin" };
  const auth = { type: "m.login.password", identifier, password: "password of erin" };
  await erin.call("POST", `${V3}/account/deactivate`, { auth });
  for (const [table, rows] of Object.entries(await rowsOf(erin.userId))) assert.equal(rows, 0, table);
});

test(
  "where the newest entry of the log was a message that is gone, a server starts, and one that runs goes on",
  { timeout: 30_000 },
  async () => {
    const frank = await registerPerson(server.url, "frank");
    const send = (txnId: string) =>
      frank.call("PUT", `${V3}/sendToDevice/m.dummy/${txnId}`, { messages: { [frank.userId]: { "*": {} } } });
    await send("first");
    await forgetDevices(server.ctx, frank.userId, [frank.deviceId]);
    await using second = await startTestServer({ databaseUrl: server.databaseUrl });
    await send("second");
    await forgetDevices(server.ctx, frank.userId, [frank.deviceId]);
    const { next_batch } = await frank.call("GET", `${V3}/sync?timeout=0`);
    // A client may come to the other server with the token of this one.
    const answer = await request(second.url, "GET", `${V3}/sync?timeout=0&since=${next_batch}`, { token: frank.token });
    assert.equal(answer.status, 200);
  },
);
