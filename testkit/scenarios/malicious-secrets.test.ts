// A server that lies about what brings keys to a device: messages to it, the backup, secret storage, and questions for secrets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeRecoveryKey } from "../../web/src/models/crypto/keyCheck.ts";
import { encryptionNeed } from "../../web/src/models/crypto/need.ts";
import { forgeCurveKey } from "../src/forged-keys.ts";
import { forBackup, forgeMessage, type ForgedMessage, type SaidSender } from "../src/forged-megolm.ts";
import type { Json } from "../src/http.ts";
import type { Someone } from "../src/people.ts";
import { backedUp, unlock } from "../src/recovery.ts";
import { soonFound } from "../src/wait.ts";
import { screenOf } from "./messenger.ts";
import { aliceAndBob, brings, madeUpId, startTrap, syncs, type Trap } from "./trap.ts";

const NO_KEY = "✗ The key for this message has not arrived yet.";

/** Who a message is to look like being from, by keys that everybody can ask for. */
async function keysOf(device: Someone): Promise<SaidSender> {
  const { ed25519, curve25519 } = await device.crypto.getOwnDeviceKeys();
  return { ed: ed25519, curve: curve25519, deviceId: device.deviceId };
}

function forgedEvent(sender: Someone, { content }: ForgedMessage): Json {
  const event_id = madeUpId();
  return { type: "m.room.encrypted", event_id, sender: sender.userId, origin_server_ts: Date.now(), content };
}

/** Somebody's next sync brings these messages to their device, unencrypted. */
const sendsToDevice = (trap: Trap, to: Someone, events: Json[]) =>
  syncs(trap, to, (body) => ((body.to_device ??= { events: [] }).events ??= []).push(...events));

test("a room key that the server sends by itself is not taken", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen } = await aliceAndBob(trap);
  const forged = forgeMessage(room, "wire the money", await keysOf(bob));
  const { exported } = forged;
  const content = { ...exported, sender_claimed_ed25519_key: exported.sender_claimed_keys.ed25519 };
  await sendsToDevice(trap, alice, [
    { type: "m.room_key", sender: bob.userId, content: { ...content, chain_index: 0 } },
    { type: "m.forwarded_room_key", sender: bob.userId, content },
    { type: "m.forwarded_room_key", sender: alice.userId, content },
  ]);
  await brings(trap, alice, room, [forgedEvent(bob, forged)]);
  await screen.shows([["bob", NO_KEY]]);
  // The control: it is the key of that message.
  await alice.crypto.importRoomKeys([exported]);
  await alice.hears(room, "wire the money");
});

test("a message whose key the server has put into the backup is told of, and old ones from the backup are not", async () => {
  await using trap = await startTrap();
  const { alice, bob, room, screen, aliceKey } = await aliceAndBob(trap);
  await bob.says(room, "good morning");
  await screen.shows([["bob", "good morning"]]);
  await backedUp(alice);
  const forged = forgeMessage(room, "wire the money", await keysOf(bob));
  const { auth_data } = await alice.plain.call("GET", "/_matrix/client/v3/room_keys/version");
  const lie = trap.malice.lies(alice, /\/room_keys\/keys\/.*\?version=/, (exchange) => {
    if (exchange.method !== "GET") return false;
    exchange.status = 200;
    exchange.body = forBackup(forged, auth_data.public_key);
  });
  await brings(trap, alice, room, [forgedEvent(bob, forged)]);
  await screen.shows([
    ["bob", "good morning"],
    ["bob", "wire the money", "This device cannot tell whether bob wrote this"],
  ]);
  lie.end();

  const phone = await alice.device("phone");
  await unlock(phone, aliceKey);
  await screenOf(phone, room).shows([["bob", "good morning"]]);
});

test("no key goes into a backup that the server has made up, and the messenger says that something is to be done", async () => {
  await using trap = await startTrap();
  const { alice, room } = await aliceAndBob(trap);
  const versions = () => {
    const written = trap.malice.answered(alice, /\/room_keys\/keys\b/).filter(({ method }) => method === "PUT");
    return new Set(written.map(({ path }) => new URL(path, trap.malice.url).searchParams.get("version")));
  };
  await alice.says(room, "before");
  await backedUp(alice);
  const real = await alice.crypto.getActiveSessionBackupVersion();
  assert.deepEqual([...versions()], [real]);
  assert.equal(await encryptionNeed(alice.client), "nothing");

  const lie = trap.malice.lies(alice, /\/room_keys\/version$/, ({ body }) => {
    body.version = "99";
    body.auth_data = { public_key: forgeCurveKey(), signatures: {} };
  });
  const check = await alice.crypto.checkKeyBackupAndEnable();
  assert.deepEqual(check?.trustInfo, { trusted: false, matchesDecryptionKey: false });
  assert.equal(await alice.crypto.getActiveSessionBackupVersion(), null);
  assert.equal(await encryptionNeed(alice.client), "unlock");
  await alice.crypto.forceDiscardSession(room);
  await alice.says(room, "meanwhile");
  lie.end();
  await alice.crypto.checkKeyBackupAndEnable();
  await backedUp(alice);
  assert.deepEqual([...versions()], [real]);
});

test("secrets that the server has exchanged are not taken, nor is a recovery key for another storage", async () => {
  await using trap = await startTrap();
  const { alice, aliceKey } = await aliceAndBob(trap);
  const phone = await alice.device("phone");
  const data = (type: string) => phone.client.getAccountData(type as never)?.getContent() ?? {};
  const tells = async (type: string, content: Json) => {
    await syncs(trap, phone, (body) => {
      ((body.account_data ??= { events: [] }).events ??= []).push({ type, content });
    });
    await phone.until(`it has heard of ${type}`, () => JSON.stringify(data(type)) === JSON.stringify(content));
  };
  const [name, other, main] = [
    "m.cross_signing.self_signing",
    "m.cross_signing.user_signing",
    "m.secret_storage.default_key",
  ];
  const real = { secret: data(name), main: data(main) };
  assert.equal((await judgeRecoveryKey(phone.client, aliceKey)).kind, "right");

  const info = data(`m.secret_storage.key.${real.main.key}`);
  await tells("m.secret_storage.key.made_up", { ...info, mac: info.iv });
  await tells(main, { key: "made_up" });
  assert.equal((await judgeRecoveryKey(phone.client, aliceKey)).kind, "wrong");
  await tells(main, real.main);

  // Made up, and well made, but as another secret.
  const [[id, { iv, ciphertext, mac }]] = Object.entries<Json>(real.secret.encrypted) as [[string, Json]];
  const otherMac = `${mac.startsWith("A") ? "B" : "A"}${mac.slice(1)}`;
  for (const forged of [{ encrypted: { [id]: { iv, ciphertext, mac: otherMac } } }, data(other)]) {
    await tells(name, forged);
    await assert.rejects(unlock(phone, aliceKey), /bad MAC/);
    assert.equal(await encryptionNeed(phone.client), "unlock");
  }
  await tells(name, real.secret);
  await unlock(phone, aliceKey);
  assert.equal(await encryptionNeed(phone.client), "nothing");
});

test("a device that its owner has not confirmed gets no secret, whoever asks for it", async () => {
  await using trap = await startTrap();
  const { alice, bob, aliceKey } = await aliceAndBob(trap);
  const phone = await alice.device("phone");
  await unlock(phone, aliceKey);
  const planted = await alice.device("planted");
  await alice.until("it knows both devices", async () => {
    const own = (await alice.crypto.getUserDeviceInfo([alice.userId])).get(alice.userId);
    const status = await alice.crypto.getDeviceVerificationStatus(alice.userId, phone.deviceId);
    return own?.has(planted.deviceId) && status?.isVerified();
  });
  const asks = (by: Someone, name: string): Json => {
    const content = { action: "request", name, requesting_device_id: by.deviceId, request_id: `${by.label} ${name}` };
    return { type: "m.secret.request", sender: by.userId, content };
  };
  const names = ["m.cross_signing.master", "m.megolm_backup.v1"];
  await sendsToDevice(
    trap,
    alice,
    [planted, bob, phone].flatMap((by) => names.map((name) => asks(by, name))),
  );
  const asked = () =>
    trap.malice
      .answered(alice, /\/sendToDevice\//)
      .flatMap(({ asked }) => Object.values<Json>(asked.messages).flatMap((devices) => Object.keys(devices)));
  await soonFound("the phone has its two answers", () => asked().filter((id) => id === phone.deviceId).length === 2);
  assert.deepEqual(
    asked().filter((id) => id !== phone.deviceId),
    [],
  );
});
