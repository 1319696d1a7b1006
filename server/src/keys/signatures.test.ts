import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { crossSigningOf, deviceKeysOf, query, uploadDevice, V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());

/** Somebody with a device and cross-signing keys that begin with their name. */
async function verifier(name: string): Promise<Person> {
  const person = await registerPerson(server.url, name);
  await uploadDevice(person);
  await person.call("POST", `${V3}/keys/device_signing/upload`, crossSigningOf(person, name));
  return person;
}

const [alice, bob, carol] = [await verifier("alice"), await verifier("bob"), await verifier("carol")];

/** The object with one signature by one key of the signer. */
function signed(object: object, signer: Person, signerKey: string) {
  return { ...object, signatures: { [signer.userId]: { [`ed25519:${signerKey}`]: `by ${signerKey}` } } };
}

const upload = (person: Person, userId: string, objects: object) =>
  person.call("POST", `${V3}/keys/signatures/upload`, { [userId]: objects });
const errcodes = ({ failures }: { failures: Record<string, Record<string, { errcode: string }>> }, userId: string) =>
  Object.values(failures[userId] ?? {}).map(({ errcode }) => errcode);

const aliceMaster = crossSigningOf(alice, "alice").master_key;
const bobMaster = crossSigningOf(bob, "bob").master_key;

/** The device_list entries about this person: their types, and who alone is told. */
async function told({ userId }: Person): Promise<(string | undefined)[]> {
  const rows = await server.ctx.db.log.query<{ type: string; body: string }>(
    "select type, body from log.entries where kind = 'device_list' and user_id = $1 order by position",
    [userId],
  );
  return rows.map(({ type, body }) => (type === "signed" ? JSON.parse(body).by : type) as string);
}

test("a device signed by the self-signing key is so for everyone, beside its own signature", async () => {
  const before = (await told(alice)).length;
  const objects = { [alice.deviceId]: signed(deviceKeysOf(alice), alice, "aliceSelf") };
  assert.deepEqual(await upload(alice, alice.userId, objects), { failures: {} });
  const { device_keys } = await query(bob, [alice]);
  assert.deepEqual(device_keys[alice.userId][alice.deviceId].signatures, {
    [alice.userId]: { [`ed25519:${alice.deviceId}`]: "own1", "ed25519:aliceSelf": "by aliceSelf" },
  });
  assert.deepEqual((await told(alice)).slice(before), ["changed"]);
  await upload(alice, alice.userId, objects);
  assert.equal((await told(alice)).length, before + 1);
});

test("the own master key may be signed by the own devices", async () => {
  const objects = { aliceMaster: signed(aliceMaster, alice, alice.deviceId) };
  assert.deepEqual(await upload(alice, alice.userId, objects), { failures: {} });
  const { master_keys } = await query(bob, [alice]);
  assert.deepEqual(master_keys[alice.userId].signatures, {
    [alice.userId]: { [`ed25519:${alice.deviceId}`]: `by ${alice.deviceId}` },
  });
});

test("a signature of somebody else's master key is seen by its maker, and only they are told", async () => {
  const before = (await told(bob)).length;
  const objects = { bobMaster: signed(bobMaster, alice, "aliceUser") };
  assert.deepEqual(await upload(alice, bob.userId, objects), { failures: {} });
  const masterFor = async (reader: Person) => (await query(reader, [bob])).master_keys[bob.userId];
  assert.deepEqual(await masterFor(alice), signed(bobMaster, alice, "aliceUser"));
  for (const other of [bob, carol]) assert.deepEqual(await masterFor(other), bobMaster);
  assert.deepEqual((await told(bob)).slice(before), [alice.userId]);
});

test("signatures by keys that may not sign this key are refused one by one", async () => {
  const objects = {
    // Neither by the master key, nor a device, nor somebody else's key.
    [alice.deviceId]: signed(deviceKeysOf(alice), alice, "aliceUser"),
    aliceMaster: signed(aliceMaster, alice, "aliceUser"),
  };
  const answer = await upload(alice, alice.userId, objects);
  assert.deepEqual(errcodes(answer, alice.userId), ["M_INVALID_SIGNATURE", "M_INVALID_SIGNATURE"]);
  const others = { bobMaster: signed(bobMaster, alice, "aliceSelf") };
  assert.deepEqual(errcodes(await upload(alice, bob.userId, others), bob.userId), ["M_INVALID_SIGNATURE"]);
  const inBobsName = { aliceMaster: signed(aliceMaster, bob, "bobUser") };
  assert.deepEqual(errcodes(await upload(alice, alice.userId, inBobsName), alice.userId), ["M_INVALID_SIGNATURE"]);
});

test("a signature of another object than the stored key is refused", async () => {
  const other = signed(deviceKeysOf(alice, 2), alice, "aliceSelf");
  const answer = await upload(alice, alice.userId, { [alice.deviceId]: other });
  assert.deepEqual(errcodes(answer, alice.userId), ["M_INVALID_SIGNATURE"]);
});

test("a key that nobody knows can not be signed, nor somebody else's device; the others of the same upload are stored", async () => {
  const answer = await upload(carol, carol.userId, {
    NONE: signed(deviceKeysOf(carol), carol, "carolSelf"),
    [carol.deviceId]: signed(deviceKeysOf(carol), carol, "carolSelf"),
  });
  assert.deepEqual(Object.keys(answer.failures[carol.userId] as object), ["NONE"]);
  assert.deepEqual(errcodes(answer, carol.userId), ["M_NOT_FOUND"]);
  const { device_keys } = await query(bob, [carol]);
  assert.ok(device_keys[carol.userId][carol.deviceId].signatures[carol.userId]["ed25519:carolSelf"]);
  const bobs = { [bob.deviceId]: signed(deviceKeysOf(bob), carol, "carolUser") };
  assert.deepEqual(errcodes(await upload(carol, bob.userId, bobs), bob.userId), ["M_NOT_FOUND"]);
});

test("an object without valid signatures is refused", async () => {
  const answer = await upload(alice, alice.userId, { aliceMaster: { ...aliceMaster, signatures: { nobody: 1 } } });
  assert.deepEqual(errcodes(answer, alice.userId), ["M_BAD_JSON"]);
});
