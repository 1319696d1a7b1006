import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { crossSigningOf, query, uploadDevice, V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());

let people = 0;
const somebody = () => registerPerson(server.url, `person${++people}`);
const upload = (person: Person, body: object) => person.ask("POST", `${V3}/keys/device_signing/upload`, body);

function password({ userId }: Person) {
  const name = userId.slice(1, userId.indexOf(":"));
  return { type: "m.login.password", identifier: { type: "m.id.user", user: name }, password: `password of ${name}` };
}

/** How often the log told that the person's keys changed. */
async function changes({ userId }: Person): Promise<number> {
  const sql = "select 1 from log.entries where kind = 'device_list' and type = 'changed' and user_id = $1";
  return (await server.ctx.db.log.query(sql, [userId])).length;
}

async function masterOf(person: Person): Promise<string | undefined> {
  const { master_keys } = await query(person, [person]);
  return (Object.values(master_keys[person.userId]?.keys ?? {}) as string[])[0];
}

test("the first cross-signing keys need no authentication, and others are told of them", async () => {
  const alice = await somebody();
  assert.equal((await upload(alice, crossSigningOf(alice, "a"))).status, 200);
  assert.equal(await masterOf(alice), "aMaster");
  assert.equal(await changes(alice), 1);
});

test("the same keys again need no authentication, and nobody is told", async () => {
  const alice = await somebody();
  const keys = crossSigningOf(alice, "a");
  await upload(alice, keys);
  assert.equal((await upload(alice, keys)).status, 200);
  assert.equal((await upload(alice, { self_signing_key: keys.self_signing_key })).status, 200);
  assert.equal(await changes(alice), 1);
});

test("any new key needs the password where there is a master key", async () => {
  const alice = await somebody();
  const old = crossSigningOf(alice, "old");
  await upload(alice, old);
  const fresh = crossSigningOf(alice, "new");
  for (const body of [fresh, { master_key: old.master_key, user_signing_key: fresh.user_signing_key }])
    assert.equal((await upload(alice, body)).status, 401);
  const { body: challenge } = await upload(alice, fresh);
  const [flow] = challenge.flows;
  assert.deepEqual(flow.stages, ["m.login.password"]);
  const wrong = { ...password(alice), password: "wrong", session: challenge.session };
  assert.equal((await upload(alice, { ...fresh, auth: wrong })).status, 401);
  assert.equal(await masterOf(alice), "oldMaster");
  const right = { ...password(alice), session: challenge.session };
  assert.equal((await upload(alice, { ...fresh, auth: right })).status, 200);
  assert.equal(await masterOf(alice), "newMaster");
});

test("a new master key takes those away that only the old one had signed", async () => {
  const alice = await somebody();
  await upload(alice, crossSigningOf(alice, "old"));
  const { master_key } = crossSigningOf(alice, "new");
  assert.equal((await upload(alice, { master_key, auth: password(alice) })).status, 200);
  const answer = await query(alice, [alice]);
  assert.deepEqual([answer.self_signing_keys, answer.user_signing_keys], [{}, {}]);
});

test("without a master key, in the upload or stored, nothing is stored", async () => {
  const alice = await somebody();
  const { self_signing_key } = crossSigningOf(alice, "a");
  for (const body of [{ self_signing_key }, {}]) {
    const answer = await upload(alice, body);
    assert.deepEqual([answer.status, answer.body.errcode], [400, "M_MISSING_PARAM"]);
  }
});

test("a key that the master key did not sign is refused", async () => {
  const alice = await somebody();
  const { master_key } = crossSigningOf(alice, "a");
  const { user_signing_key } = crossSigningOf(alice, "b");
  const { status, body } = await upload(alice, { master_key, user_signing_key });
  assert.deepEqual([status, body.errcode], [400, "M_INVALID_SIGNATURE"]);
  assert.equal(await masterOf(alice), undefined);
});

test("keys of somebody else, for another usage, or not named by themselves are refused", async () => {
  const [alice, bob] = [await somebody(), await somebody()];
  const { master_key, self_signing_key } = crossSigningOf(alice, "a");
  const bad = [
    { master_key: crossSigningOf(bob, "b").master_key },
    { master_key: self_signing_key },
    { master_key: { ...master_key, keys: { "ed25519:name": "another" } } },
    { master_key: { ...master_key, keys: { "curve25519:a": "a" } } },
  ];
  for (const body of bad) {
    const answer = await upload(alice, body);
    assert.deepEqual([answer.status, answer.body.errcode], [400, "M_INVALID_PARAM"]);
  }
  const two = { master_key: { ...master_key, keys: { "ed25519:a": "a", "ed25519:b": "b" } } };
  assert.equal((await upload(alice, two)).body.errcode, "M_BAD_JSON");
});

test("a key whose name is the id of a device of the person is refused", async () => {
  const alice = await registerPerson(server.url, "collider", { device_id: "aMaster" });
  const { status, body } = await upload(alice, crossSigningOf(alice, "a"));
  assert.deepEqual([status, body.errcode], [403, "M_FORBIDDEN"]);
});

test("two first uploads at once do not both pass without the password", async () => {
  const alice = await somebody();
  const answers = await Promise.all(["a", "b"].map((name) => upload(alice, crossSigningOf(alice, name))));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 401]));
});

test("old keys go with the signatures of them and by them", async () => {
  const [alice, bob] = [await somebody(), await somebody()];
  await uploadDevice(alice);
  await upload(alice, crossSigningOf(alice, "a"));
  const { master_key } = crossSigningOf(bob, "b");
  await upload(bob, crossSigningOf(bob, "b"));
  const signed = { ...master_key, signatures: { [alice.userId]: { "ed25519:aUser": "by alice" } } };
  const answer = await alice.call("POST", `${V3}/keys/signatures/upload`, { [bob.userId]: { bMaster: signed } });
  assert.deepEqual(answer, { failures: {} });
  await upload(alice, { ...crossSigningOf(alice, "new"), auth: password(alice) });
  const { master_keys } = await query(alice, [bob]);
  assert.deepEqual(master_keys[bob.userId], master_key);
});

/** A key pair with which it can really be signed, over an object whose members are in order already. */
function signingKey() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const id = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64").replace("=", "");
  const signatureOf = (object: object) =>
    sign(null, Buffer.from(JSON.stringify(object)), privateKey)
      .toString("base64")
      .replaceAll("=", "");
  return { id, signatureOf };
}

test("a key with a signature that is not the master key's is refused, and one that others claim to have signed fails", async () => {
  const { userId, deviceId, ...person } = await somebody();
  const [master, self, other] = [signingKey(), signingKey(), signingKey()];
  const keyOf = (usage: string, { id }: { id: string }) => ({
    keys: { [`ed25519:${id}`]: id },
    usage: [usage],
    user_id: userId,
  });
  const below = keyOf("self_signing", self);
  const uploadBy = (signer: typeof master) => {
    const signatures = { [userId]: { [`ed25519:${master.id}`]: signer.signatureOf(below) } };
    const body = { master_key: keyOf("master", master), self_signing_key: { ...below, signatures } };
    return person.ask("POST", `${V3}/keys/device_signing/upload`, body);
  };
  const refused = await uploadBy(other);
  assert.deepEqual([refused.status, refused.body.errcode], [400, "M_INVALID_SIGNATURE"]);
  assert.equal((await uploadBy(master)).status, 200);

  const device = { algorithms: [], device_id: deviceId, keys: {}, user_id: userId };
  await person.call("POST", `${V3}/keys/upload`, { device_keys: { ...device, signatures: {} } });
  const signBy = async (signer: typeof master) => {
    const signatures = { [userId]: { [`ed25519:${self.id}`]: signer.signatureOf(device) } };
    const body = { [userId]: { [deviceId]: { ...device, signatures } } };
    return (await person.call("POST", `${V3}/keys/signatures/upload`, body)).failures[userId]?.[deviceId]?.errcode;
  };
  assert.equal(await signBy(other), "M_INVALID_SIGNATURE");
  assert.equal(await signBy(self), undefined);
});
