import assert from "node:assert/strict";
import { test } from "node:test";
import { startTown } from "../src/people.ts";
import { setUpRecovery } from "../src/recovery.ts";
import { compareEmoji } from "../src/verification.ts";

test("a new device that is verified with another one is trusted, and gets the account's keys and old messages", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  await setUpRecovery(alice);
  const room = await alice.createRoom();
  await alice.says(room, "a note to myself");
  const phone = await alice.device("phone");
  await phone.shows(room, ["✗"]);

  const { asking, asked, confirm } = await compareEmoji([phone, alice], () =>
    phone.crypto.requestOwnUserVerification(),
  );
  assert.equal(asking.length, 7);
  assert.deepEqual(asking, asked);
  await confirm();

  await phone.until("the phone is trusted", async () => {
    const status = await phone.crypto.getDeviceVerificationStatus(alice.userId, phone.deviceId);
    return status?.crossSigningVerified;
  });
  await phone.until("the phone has the identity's keys", async () => {
    const { privateKeysCachedLocally: keys } = await phone.crypto.getCrossSigningStatus();
    return keys.masterKey && keys.selfSigningKey && keys.userSigningKey;
  });
  await phone.until("the phone has the backup's key", () => phone.crypto.getSessionBackupPrivateKey().then(Boolean));
  await phone.hears(room, "a note to myself");
});

test("two people who compared emoji are verified for each other, on all their devices", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  await Promise.all([setUpRecovery(alice), setUpRecovery(bob)]);
  const room = await alice.createRoom({ invite: [bob], is_direct: true });
  await bob.joins(room);
  await alice.sees(room, bob, "join");
  const isVerified = async (by: typeof alice, who: typeof alice) =>
    (await by.crypto.getUserVerificationStatus(who.userId)).isVerified();
  assert.equal(await isVerified(alice, bob), false);

  const { asking, asked, confirm } = await compareEmoji([alice, bob], () =>
    alice.crypto.requestVerificationDM(bob.userId, room),
  );
  assert.deepEqual(asking, asked);
  await confirm();
  await alice.until("alice has verified bob", () => isVerified(alice, bob));
  await bob.until("bob has verified alice", () => isVerified(bob, alice));
});
