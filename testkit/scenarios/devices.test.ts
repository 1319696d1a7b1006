import assert from "node:assert/strict";
import { test } from "node:test";
import { realSeams } from "../../server/src/seams.ts";
import { openDevice } from "../src/device.ts";
import { type Json, type Person, registerPerson } from "../src/http.ts";
import { startTown } from "../src/people.ts";
import { withPassword } from "../src/recovery.ts";
import { renewingFetch } from "../src/renewing-fetch.ts";
import { talkOf } from "../src/talk.ts";
import { HttpApiEvent, type MatrixError } from "matrix-js-sdk";

/** Claims one of the device's one-time keys, as a stranger can; gives it. */
async function claim(by: Person, userId: string, deviceId: string): Promise<Json> {
  const wanted = { one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } } };
  const { one_time_keys } = await by.call("POST", "/_matrix/client/v3/keys/claim", wanted);
  return Object.values(one_time_keys[userId][deviceId])[0];
}

test("when a device's one-time keys run out its fallback key serves, and it brings new ones as soon as it is back", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const mallory = await registerPerson(town.url, "mallory");
  await bob.goOffline();
  const claimed = new Set<string>();
  for (;;) {
    const { key, fallback } = await claim(mallory, bob.userId, bob.deviceId);
    if (fallback) break;
    assert.ok(!claimed.has(key), "a one-time key was handed out twice");
    claimed.add(key);
  }
  assert.ok(claimed.size > 0);
  assert.equal((await claim(mallory, bob.userId, bob.deviceId)).fallback, true);

  const room = await alice.createRoom({ invite: [bob] });
  await alice.says(room, "you have no keys left");
  const uploaded = bob.answered(/\/keys\/upload/);
  await bob.comeOnline();
  await uploaded;
  const { key, fallback } = await claim(mallory, bob.userId, bob.deviceId);
  assert.deepEqual([fallback, claimed.has(key)], [undefined, false]);

  await bob.isInvited(room);
  await bob.joins(room);
  await bob.hears(room, "you have no keys left");
});

test("a device that is deleted can do nothing any more, is told so for good, and is no longer encrypted for", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const phone = await alice.device("phone");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  const devicesOfAlice = async () => [
    ...((await bob.crypto.getUserDeviceInfo([alice.userId])).get(alice.userId) ?? []),
  ];
  await bob.says(room, "to both of your devices");
  await phone.hears(room, "to both of your devices");
  assert.equal((await devicesOfAlice()).length, 2);

  const told = new Promise<MatrixError>((resolve) => phone.client.once(HttpApiEvent.SessionLoggedOut, resolve));
  await withPassword(alice, (auth) => alice.client.deleteDevice(phone.deviceId, auth ?? undefined));
  const { errcode, data } = await told;
  assert.equal(errcode, "M_UNKNOWN_TOKEN");
  assert.ok(!data.soft_logout);
  assert.equal((await phone.plain.ask("GET", "/_matrix/client/v3/sync")).status, 401);

  await bob.until("bob knows of one device", async () => (await devicesOfAlice()).length === 1);
  await bob.says(room, "to the one that is left");
  await alice.hears(room, "to the one that is left");
});

test("an app whose access token expires renews it and goes on, until its session ends", async () => {
  let ahead_ms = 0;
  const seams = { ...realSeams, monotonic_ms: () => realSeams.monotonic_ms() + ahead_ms };
  await using town = await startTown({ seams });
  const anHour_ms = 3_600_001;
  const passAnHour = async () => {
    const sql = "update auth.tokens set expires_at = expires_at - $1 * interval '1 millisecond'";
    await town.server?.ctx.db.auth.change(sql, [anHour_ms]);
    ahead_ms += anHour_ms;
  };
  const person = await registerPerson(town.url, "alice", { refresh_token: true });
  const renewing = renewingFetch(town.fetch, town.url, person);
  const device = await openDevice({ url: town.url, label: "alice", person, password: "", fetch: renewing.fetch });
  await using _closed = { [Symbol.asyncDispose]: () => device.close() };
  const alice = { ...talkOf(device) };
  const bob = await town.person("bob");
  const room = await bob.createRoom({ invite: [device] });
  await alice.joins(room);

  for (const hour of [1, 2, 3]) {
    await passAnHour();
    await alice.says(room, `hour ${hour}`);
    await bob.hears(room, `hour ${hour}`);
    await bob.says(room, `answer ${hour}`);
    await alice.hears(room, `answer ${hour}`);
    assert.equal(renewing.renewals(), hour);
  }
  await bob.shows(room, ["hour 1", "answer 1", "hour 2", "answer 2", "hour 3", "answer 3"]);
});
