import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { crossSigningOf, deviceKeysOf, query, uploadDevice, V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());
const register = (name: string) => registerPerson(server.url, name);
const [alice, bob] = [await register("alice"), await register("bob")];
await uploadDevice(alice);

test("a query gives each device with its keys and its name, and nobody's whom it does not know", async () => {
  const phone = await signInPerson(server.url, "alice", { device_id: "PHONE" });
  await uploadDevice(phone);
  await alice.call("PUT", `${V3}/devices/PHONE`, { display_name: "Alice's phone" });
  const { device_keys, failures } = await query(bob, [alice, { userId: "@nobody:localhost" }]);
  assert.deepEqual(device_keys, {
    [alice.userId]: {
      [alice.deviceId]: { ...deviceKeysOf(alice), unsigned: {} },
      PHONE: { ...deviceKeysOf(phone), unsigned: { device_display_name: "Alice's phone" } },
    },
    "@nobody:localhost": {},
  });
  assert.deepEqual(failures, {});
});

test("a query of named devices gives those alone", async () => {
  const carol = await register("carol");
  const other = await signInPerson(server.url, "carol", { device_id: "OTHER" });
  for (const device of [carol, other]) await uploadDevice(device);
  const wanted = { device_keys: { [carol.userId]: ["OTHER", "NONE"] } };
  const { device_keys } = await bob.call("POST", `${V3}/keys/query`, wanted);
  assert.deepEqual(Object.keys(device_keys[carol.userId]), ["OTHER"]);
});

test("what a device says under `unsigned` is not passed on", async () => {
  const dave = await register("dave");
  const device_keys = { ...deviceKeysOf(dave), unsigned: { device_display_name: "the bank" } };
  await dave.call("POST", `${V3}/keys/upload`, { device_keys });
  const answer = await query(bob, [dave]);
  assert.deepEqual(answer.device_keys[dave.userId][dave.deviceId].unsigned, {});
});

test("a device that has signed out is no longer there", async () => {
  const erin = await register("erin");
  const other = await signInPerson(server.url, "erin", { device_id: "OTHER" });
  for (const device of [erin, other]) await uploadDevice(device);
  await other.call("POST", `${V3}/logout`, {});
  const { device_keys } = await query(bob, [erin]);
  assert.deepEqual(Object.keys(device_keys[erin.userId]), [erin.deviceId]);
});

test("master and self-signing keys are for everyone, the user-signing key for its owner alone", async () => {
  const frank = await register("frank");
  const keys = crossSigningOf(frank, "frank");
  await frank.call("POST", `${V3}/keys/device_signing/upload`, keys);
  const members = (answer: Record<string, object>) => [
    answer["master_keys"],
    answer["self_signing_keys"],
    answer["user_signing_keys"],
  ];
  const { userId } = frank;
  const expected = [{ [userId]: keys.master_key }, { [userId]: keys.self_signing_key }];
  assert.deepEqual(members(await query(frank, [frank])), [...expected, { [userId]: keys.user_signing_key }]);
  assert.deepEqual(members(await query(bob, [frank])), [...expected, {}]);
});

test("what is not a user id can not be queried", async () => {
  for (const userId of ["nobody", "@nul\0:localhost", "@:"]) {
    const { status, body } = await bob.ask("POST", `${V3}/keys/query`, { device_keys: { [userId]: [] } });
    assert.deepEqual([status, body.errcode], [400, "M_BAD_JSON"]);
  }
});

test("an empty object in place of a query's list stands for all devices, as older clients write it", async () => {
  const answer = await bob.call("POST", `${V3}/keys/query`, { device_keys: { [alice.userId]: {} } });
  assert.ok(Object.keys(answer.device_keys[alice.userId] as Person).includes(alice.deviceId));
});

test("anything else in place of a query's list is refused", async () => {
  for (const devices of [{ [alice.deviceId]: true }, "", null, [1], [""]]) {
    const { status, body } = await bob.ask("POST", `${V3}/keys/query`, { device_keys: { [alice.userId]: devices } });
    assert.deepEqual([status, body.errcode], [400, "M_BAD_JSON"], JSON.stringify(devices));
  }
});
