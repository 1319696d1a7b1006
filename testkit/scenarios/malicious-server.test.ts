// A server that lies about people's keys, and what the messenger makes of it. About messages: malicious-messages.test.ts. About
// rooms: malicious-rooms.test.ts. About what brings keys: malicious-secrets.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MatrixClient } from "matrix-js-sdk";
import { forgeCurveKey, forgeDevice, forgeIdentity, forgeKey } from "../src/forged-keys.ts";
import type { Json } from "../src/http.ts";
import type { Exchange, Translation } from "../src/malicious-server.ts";
import type { Someone } from "../src/people.ts";
import { setUpRecovery, unlock } from "../src/recovery.ts";
import { compareEmoji } from "../src/verification.ts";
import { screenOf } from "./messenger.ts";
import { aliceAndBob, hearsOfChange, startTrap } from "./trap.ts";

const QUERY = /\/keys\/query/;
const CLAIM = /\/keys\/claim/;
const TO_DEVICE = /\/sendToDevice\/m\.room\.encrypted\//;

test("a device that the server has let into an account is told of before anything is written, and on what it writes", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen, recoveryKey } = await aliceAndBob(trap);
  await alice.says(room, "before");
  await bob.hears(room, "before");
  // The control: a device that Bob has unlocked is his, and nothing is said of it.
  const phone = await bob.device("phone");
  await screen.tagIs("bob has a new device");
  await unlock(phone, recoveryKey);
  await screen.tagIs("Encrypted");
  await phone.says(room, "from my phone");
  await screen.shows([
    ["alice", "before"],
    ["bob", "from my phone"],
  ]);

  // Whoever has the server needs no password; here it has one, which comes to the same.
  const planted = await bob.device("planted");
  await screen.tagIs("bob has a new device");
  await alice.says(room, "after");
  await planted.shows(room, ["✗", "✗", "after"]);
  await planted.says(room, "this is Bob");
  await screen.shows([
    ["alice", "before"],
    ["bob", "from my phone"],
    ["alice", "after"],
    ["bob", "this is Bob", "Sent from a device that bob has not confirmed"],
  ]);
});

test("a device with a forged signature of its own is none, and one with a forged signature of its owner is told of", async () => {
  await using trap = await startTrap();
  const { malice } = trap;
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const known = async () => [...((await alice.crypto.getUserDeviceInfo([bob.userId])).get(bob.userId)?.keys() ?? [])];
  const adds = (device: Json) =>
    malice.lies(alice, QUERY, ({ body }) => {
      const devices = body.device_keys[bob.userId];
      if (devices) devices[device.device_id] = device;
      return devices !== undefined;
    });

  const badly = adds(forgeDevice(bob.userId, "BADLY", false));
  await alice.crypto.getUserDeviceInfo([bob.userId], true);
  await hearsOfChange(trap, alice, bob);
  badly.end();
  assert.deepEqual(await known(), [bob.deviceId]);
  await alice.says(room, "to one device");
  await bob.hears(room, "to one device");
  await screen.tagIs("Encrypted");
  assert.ok(!JSON.stringify(malice.answered(alice, CLAIM).map(({ asked }) => asked)).includes("BADLY"));
  assert.ok(!JSON.stringify(malice.answered(alice, TO_DEVICE).map(({ asked }) => asked)).includes("BADLY"));

  const query = malice.answered(alice, QUERY).findLast(({ body }) => body.self_signing_keys?.[bob.userId]) as Exchange;
  const [bobsKey] = Object.values(query.body.self_signing_keys[bob.userId].keys) as [string];
  const keyName = { userId: bob.userId, keyName: bobsKey };
  const well = adds(forgeKey().signed(forgeDevice(bob.userId, "WELL"), keyName));
  await hearsOfChange(trap, alice, bob);
  await screen.tagIs("bob has a new device");
  well.end();
  assert.deepEqual((await known()).toSorted(), [bob.deviceId, "WELL"].toSorted());
});

for (const isVerified of [true, false])
  test(`another identity for ${isVerified ? "a verified person" : "a person who was never verified"} is told of, not taken`, async () => {
    await using trap = await startTrap();
    const { alice, bob, room, screen } = await aliceAndBob(trap);
    if (isVerified) {
      const { confirm } = await compareEmoji([alice, bob], () => alice.crypto.requestVerificationDM(bob.userId, room));
      await confirm();
    }
    const before = isVerified ? "Encrypted · all verified" : "Encrypted";
    await screen.tagIs(before);
    const status = () => alice.crypto.getUserVerificationStatus(bob.userId);
    assert.equal((await status()).needsUserApproval, false);

    const forged = forgeIdentity(bob.userId);
    const lie = trap.malice.lies(alice, QUERY, ({ body }) => {
      if (!body.device_keys[bob.userId]) return false;
      body.master_keys[bob.userId] = forged.master;
      body.self_signing_keys[bob.userId] = forged.selfSigning;
      const devices = body.device_keys[bob.userId];
      for (const [id, device] of Object.entries(devices)) devices[id] = forged.signed(device);
    });
    await hearsOfChange(trap, alice, bob);
    await screen.tagIs("bob has a new identity");
    assert.deepEqual([(await status()).isVerified(), (await status()).needsUserApproval], [false, true]);
    await bob.says(room, "who am I?");
    await alice.hears(room, "who am I?");
    const warning = "bob has a new identity that you have not verified";
    const seen = (await screen.messages()).at(-1);
    assert.deepEqual(seen, ["bob", "who am I?", ...(isVerified ? [warning] : [])]);

    lie.end();
    await hearsOfChange(trap, alice, bob);
    await screen.tagIs(before);
    assert.equal((await screen.messages()).at(-1)?.[2], undefined);
  });

test("a device whose keys the server has exchanged stays the one that it was", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const fingerprint = async () =>
    (await alice.crypto.getUserDeviceInfo([bob.userId])).get(bob.userId)?.get(bob.deviceId)?.getFingerprint();
  const before = await fingerprint();
  assert.ok(before);
  const { forged, lie } = exchanges(trap, alice, bob);
  await hearsOfChange(trap, alice, bob);
  assert.equal(await fingerprint(), before);
  assert.notEqual(forged.keys[`ed25519:${bob.deviceId}`], before);
  await alice.says(room, "to the one I know");
  await bob.hears(room, "to the one I know");
  await screen.tagIs("Encrypted");
  lie.end();

  // Who has never seen the right keys takes the wrong ones, and sees that their owner has not signed them.
  const carol = await trap.town.person("carol");
  const first = exchanges(trap, carol, bob);
  const met = await carol.createRoom({ invite: [bob] });
  await bob.joins(met);
  await carol.sees(met, bob, "join");
  await screenOf(carol, met).tagIs("bob has a new device");
  first.lie.end();
});

/** Has one person get other keys of another's device. */
function exchanges({ malice }: Awaited<ReturnType<typeof startTrap>>, victim: Someone, of: Someone) {
  const forged = forgeDevice(of.userId, of.deviceId);
  const lie = malice.lies(victim, QUERY, ({ body }) => {
    const devices = body.device_keys[of.userId];
    if (devices) devices[of.deviceId] = forged;
    return devices !== undefined;
  });
  return { forged, lie };
}

for (const forgery of ["with the signature of the right one", "signed by somebody else", undefined])
  test(`a one-time key ${forgery ?? "of the device itself"} makes ${forgery ? "no" : "a"} session`, async () => {
    await using trap = await startTrap();
    const alice = await trap.town.person("alice");
    const bob = await trap.town.person("bob");
    const lie =
      forgery === undefined
        ? undefined
        : trap.malice.lies(alice, CLAIM, ({ body }) => {
            const keys = body.one_time_keys[bob.userId]?.[bob.deviceId];
            if (!keys) return false;
            for (const [id, key] of Object.entries<Json>(keys)) {
              const wrong = { ...key, key: forgeCurveKey() };
              const as = { userId: bob.userId, keyName: bob.deviceId };
              keys[id] = forgery === "signed by somebody else" ? forgeKey().signed(wrong, as) : wrong;
            }
          });
    const room = await alice.createRoom({ invite: [bob] });
    await bob.joins(room);
    await alice.sees(room, bob, "join");
    await alice.says(room, "hello");
    await bob.shows(room, [forgery ? "✗" : "hello"]);
    lie?.end();
    const sent = trap.malice.answered(alice, TO_DEVICE).filter(({ asked }) => asked.messages[bob.userId]);
    assert.equal(sent.length, forgery ? 0 : 1);
  });

for (const isHonest of [true, false])
  test(`emoji ${isHonest ? "are the same with the person who was asked" : "differ where the server hands the request to somebody else"}`, async () => {
    await using trap = await startTrap();
    const person = (name: string) => trap.town.person(name);
    const [alice, bob, mallory] = [await person("alice"), await person("bob"), await person("mallory")];
    await Promise.all([alice, bob, mallory].map((who) => setUpRecovery(who)));
    const room = await alice.createRoom({ invite: [bob, mallory] });
    await Promise.all([bob.joins(room), mallory.joins(room)]);
    await Promise.all([bob, mallory].map((who) => alice.sees(room, who, "join")));
    await alice.says(room, "shall we?");
    if (!isHonest) trap.malice.translates(alice, /\/(sync|send)\b/, swapped(bob, mallory));
    const asked = isHonest ? bob : mallory;
    const {
      asking,
      asked: shown,
      confirm,
    } = await compareEmoji([alice, asked], () => alice.crypto.requestVerificationDM(bob.userId, room));
    const isVerified = async () => (await alice.crypto.getUserVerificationStatus(bob.userId)).isVerified();
    if (isHonest) {
      assert.deepEqual(asking, shown);
      await confirm();
      await alice.until("bob is verified", isVerified);
      return;
    }
    assert.notDeepEqual(asking, shown);
    // Nor does it help the server where they say so without looking.
    await assert.rejects(confirm());
    const isOver = (client: MatrixClient) =>
      client
        .getRoom(room)
        ?.getLiveTimeline()
        .getEvents()
        .some((event) => event.getType() === "m.key.verification.cancel");
    await Promise.all([alice, mallory].map((who) => who.until("the verification is over", isOver)));
    assert.equal(await isVerified(), false);
  });

/** Every word about the one is about the other. */
function swapped(one: Someone, other: Someone): Translation {
  const pairs = [
    [one.userId, other.userId],
    [one.deviceId, other.deviceId],
  ] as [string, string][];
  const swap = (text: string) =>
    pairs.reduce(
      (done, [left, right]) => done.replaceAll(left, "\0").replaceAll(right, left).replaceAll("\0", right),
      text,
    );
  return { asked: swap, answered: swap };
}
