import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { readKeyCounts } from "./counts.ts";
import { claimOne, deviceKeysOf, fallbackKeyOf, oneTimeKeysOf, query, SIGNED, V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());
const bob = await registerPerson(server.url, "bob");

let people = 0;
const somebody = () => registerPerson(server.url, `person${++people}`);
const upload = (person: Person, body: object) => person.ask("POST", `${V3}/keys/upload`, body);
const counts = (person: Person) => readKeyCounts(server.ctx, person.userId, person.deviceId);

/** The counts that the log told of the device last, and how many entries told of it. */
async function told({ userId, deviceId }: Person) {
  const rows = await server.ctx.db.log.query<{ body: string }>(
    "select body from log.entries where user_id = $1 and device_id = $2 and type = 'one_time_keys' order by position",
    [userId, deviceId],
  );
  return { entries: rows.length, last: JSON.parse(rows.at(-1)?.body ?? "null") as unknown };
}

test("an upload answers with the number of unclaimed one-time keys, also an empty one", async () => {
  const alice = await somebody();
  const empty = await upload(alice, {});
  assert.deepEqual(empty.body, { one_time_key_counts: { [SIGNED]: 0 } });
  const { body } = await upload(alice, { device_keys: deviceKeysOf(alice), one_time_keys: oneTimeKeysOf(alice, 3) });
  assert.deepEqual(body, { one_time_key_counts: { [SIGNED]: 3 } });
});

test("device keys that name another user or another device are refused", async () => {
  const alice = await somebody();
  for (const other of [bob, { ...alice, deviceId: "OTHER" }]) {
    const { status, body } = await upload(alice, { device_keys: deviceKeysOf(other) });
    assert.deepEqual([status, body.errcode], [400, "M_BAD_JSON"]);
  }
  const { device_keys } = await query(alice, [alice]);
  assert.deepEqual(device_keys, { [alice.userId]: {} });
});

test("the same one-time key may be uploaded again; another one under its id is refused, and nothing of that upload is stored", async () => {
  const alice = await somebody();
  const keys = oneTimeKeysOf(alice, 2);
  await upload(alice, { one_time_keys: keys });
  // In another order of members it is the same key.
  const [[name, first]] = Object.entries(keys) as [[string, { key: string; signatures: object }]];
  const again = await upload(alice, { one_time_keys: { [name]: { signatures: first.signatures, key: first.key } } });
  assert.deepEqual(again.body, { one_time_key_counts: { [SIGNED]: 2 } });
  const other = { ...oneTimeKeysOf(alice, 1, 7), [name]: { ...first, key: "another" } };
  const { status, body } = await upload(alice, { one_time_keys: other });
  assert.deepEqual([status, body.errcode], [400, "M_UNKNOWN"]);
  assert.match(body.error as string, /^One time key signed_curve25519:K1 already exists\. Old key: \{.*; new key: \{/);
  assert.equal((await counts(alice)).device_one_time_keys_count[SIGNED], 2);
});

test("G5: an upload that is sent again does not bring back a key that was claimed", async () => {
  const alice = await somebody();
  const body = { device_keys: deviceKeysOf(alice), one_time_keys: oneTimeKeysOf(alice, 1) };
  await upload(alice, body);
  assert.equal((await claimOne(bob, alice))?.[0], `${SIGNED}:K1`);
  const again = await upload(alice, body);
  assert.deepEqual(again.body, { one_time_key_counts: { [SIGNED]: 0 } });
  assert.equal(await claimOne(bob, alice), undefined);
});

test("a claimed key is forgotten after some weeks", async () => {
  const alice = await somebody();
  await upload(alice, { one_time_keys: oneTimeKeysOf(alice, 1) });
  await claimOne(bob, alice);
  const sql =
    "update keys.one_time_keys set claimed_at = claimed_at - $2 * interval '1 millisecond' where user_id = $1";
  await server.ctx.db.keys.change(sql, [alice.userId, limits.claimedKeys_ms]);
  await upload(alice, {});
  const rows = await server.ctx.db.keys.query("select 1 from keys.one_time_keys where user_id = $1", [alice.userId]);
  assert.equal(rows.length, 0);
});

test("a device has a bounded number of one-time keys", async () => {
  const alice = await somebody();
  const most = oneTimeKeysOf(alice, limits.oneTimeKeys_keys);
  assert.equal((await upload(alice, { one_time_keys: most })).status, 200);
  assert.equal((await upload(alice, { one_time_keys: most })).status, 200);
  const more = await upload(alice, { one_time_keys: oneTimeKeysOf(alice, 1, limits.oneTimeKeys_keys + 1) });
  assert.deepEqual([more.status, more.body.errcode], [413, "M_TOO_LARGE"]);
});

test("a fallback key is handed out when no one-time key is left, again and again, and counts as used from then on", async () => {
  const alice = await somebody();
  await upload(alice, { one_time_keys: oneTimeKeysOf(alice, 1), fallback_keys: fallbackKeyOf(alice, "F1") });
  assert.deepEqual((await counts(alice)).device_unused_fallback_key_types, [SIGNED]);
  const names = [];
  for (let i = 0; i < 3; i++) names.push((await claimOne(bob, alice))?.[0]);
  assert.deepEqual(names, [`${SIGNED}:K1`, `${SIGNED}:F1`, `${SIGNED}:F1`]);
  assert.deepEqual((await counts(alice)).device_unused_fallback_key_types, []);
});

test("the same fallback key again stays used, a new one is not", async () => {
  const alice = await somebody();
  await upload(alice, { fallback_keys: fallbackKeyOf(alice, "F1") });
  await claimOne(bob, alice);
  await upload(alice, { fallback_keys: fallbackKeyOf(alice, "F1") });
  assert.deepEqual((await counts(alice)).device_unused_fallback_key_types, []);
  await upload(alice, { fallback_keys: fallbackKeyOf(alice, "F2") });
  assert.deepEqual((await counts(alice)).device_unused_fallback_key_types, [SIGNED]);
  const [name, key] = (await claimOne(bob, alice)) ?? [];
  assert.equal(name, `${SIGNED}:F2`);
  assert.equal((key as { fallback: boolean }).fallback, true);
});

test("two fallback keys of one algorithm are refused", async () => {
  const alice = await somebody();
  const two = { ...fallbackKeyOf(alice, "F1"), ...fallbackKeyOf(alice, "F2") };
  const { status, body } = await upload(alice, { fallback_keys: two });
  assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
});

test("every change of a device's keys is an entry of the log with what is left, and nothing else is", async () => {
  const alice = await somebody();
  const body = { one_time_keys: oneTimeKeysOf(alice, 2), fallback_keys: fallbackKeyOf(alice, "F") };
  await upload(alice, body);
  await upload(alice, body);
  const afterUpload = { device_one_time_keys_count: { [SIGNED]: 2 }, device_unused_fallback_key_types: [SIGNED] };
  assert.deepEqual(await told(alice), { entries: 1, last: afterUpload });
  for (let i = 0; i < 2; i++) await claimOne(bob, alice);
  const afterClaims = { device_one_time_keys_count: {}, device_unused_fallback_key_types: [SIGNED] };
  assert.deepEqual(await told(alice), { entries: 3, last: afterClaims });
  for (let i = 0; i < 2; i++) await claimOne(bob, alice);
  const atTheEnd = { device_one_time_keys_count: {}, device_unused_fallback_key_types: [] };
  assert.deepEqual(await told(alice), { entries: 4, last: atTheEnd });
});

test("another identity under the same device id takes the old one's keys away", async () => {
  const alice = await somebody();
  const old = { ...oneTimeKeysOf(alice, 2), ...oneTimeKeysOf(alice, 1, 9) };
  await upload(alice, {
    device_keys: deviceKeysOf(alice, 1),
    one_time_keys: old,
    fallback_keys: fallbackKeyOf(alice, "F"),
  });
  const fresh = { [`${SIGNED}:K1`]: { key: "of the new identity", signatures: {} } };
  const { body } = await upload(alice, { device_keys: deviceKeysOf(alice, 2), one_time_keys: fresh });
  assert.deepEqual(body, { one_time_key_counts: { [SIGNED]: 1 } });
  assert.deepEqual(await counts(alice), {
    device_one_time_keys_count: { [SIGNED]: 1 },
    device_unused_fallback_key_types: [],
  });
});

test("what is not a key is refused", async () => {
  const alice = await somebody();
  const bad: object[] = [
    { one_time_keys: { nocolon: { key: "k", signatures: {} } } },
    { one_time_keys: { [`${SIGNED}:A`]: { signatures: {} } } },
    { one_time_keys: { [`${SIGNED}:A`]: { key: "k", signatures: {}, half: 0.5 } } },
    { one_time_keys: { [`${SIGNED}:\0`]: { key: "k", signatures: {} } } },
    { one_time_keys: { [`${SIGNED}:A`]: { key: "k" } } },
    { device_keys: { ...deviceKeysOf(alice), keys: [] } },
    { device_keys: { ...deviceKeysOf(alice), signatures: { nobody: {} } } },
  ];
  for (const body of bad) {
    const answer = await upload(alice, body);
    assert.deepEqual([answer.status, answer.body.errcode], [400, "M_BAD_JSON"], JSON.stringify(body));
  }
  const huge = { one_time_keys: { [`${SIGNED}:A`]: { key: "k".repeat(limits.keyObject_bytes), signatures: {} } } };
  assert.equal((await upload(alice, huge)).body.errcode, "M_TOO_LARGE");
});
