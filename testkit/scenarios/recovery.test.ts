import assert from "node:assert/strict";
import { test } from "node:test";
import { startTown } from "../src/people.ts";
import { backedUp, setUpRecovery, unlock } from "../src/recovery.ts";

test("a new device with the recovery key is the account's own, and reads all that was said before", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const recoveryKey = await setUpRecovery(alice);
  assert.match(recoveryKey, /^(\w{4} ){11}\w{4}$/);
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.says(room, "the first secret");
  await bob.says(room, "the second secret");
  await alice.hears(room, "the second secret");
  await backedUp(alice);
  await alice.close();

  const phone = await alice.device("phone");
  await phone.shows(room, ["✗", "✗"]);
  assert.equal(await unlock(phone, recoveryKey), 2);
  await phone.hears(room, "the first secret");
  await phone.hears(room, "the second secret");

  const status = await phone.crypto.getDeviceVerificationStatus(alice.userId, phone.deviceId);
  assert.equal(status?.crossSigningVerified, true);
  await bob.until("bob sees that the phone is signed by its owner", async () => {
    const seen = await bob.crypto.getDeviceVerificationStatus(alice.userId, phone.deviceId);
    return seen?.signedByOwner;
  });
  await bob.says(room, "the third secret");
  await phone.hears(room, "the third secret");
});

test("a wrong recovery key opens nothing", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  await setUpRecovery(alice);
  const other = await town.person("mallory");
  const keyOfAnother = await setUpRecovery(other);
  const phone = await alice.device("phone");
  await assert.rejects(unlock(phone, keyOfAnother));
  const status = await phone.crypto.getDeviceVerificationStatus(alice.userId, phone.deviceId);
  assert.equal(status?.crossSigningVerified, false);
});
