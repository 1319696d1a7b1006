import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";
import { limits } from "../limits.ts";
import { claimOne, fallbackKeyOf, oneTimeKeysOf, SIGNED, V3 } from "../../../testkit/src/keys.ts";

const config = { databaseConnections: 6 };
const first = await startTestServer({ config });
const second = await startTestServer({ config, databaseUrl: first.databaseUrl });
after(async () => {
  await second.stop();
  await first.stop();
});
const bob = await registerPerson(first.url, "bob");

const CLAIMERS = 64;
const KEYS = 400;

/** Has all claimers claim one key after the other until there are no more. Gives every key that anybody was given. */
async function claimEverything(claim: (claimer: number) => Promise<string | undefined>): Promise<string[]> {
  const given: string[] = [];
  const claimers = Array.from({ length: CLAIMERS }, async (_, claimer) => {
    for (;;) {
      const name = await claim(claimer);
      if (name === undefined) return;
      given.push(name);
    }
  });
  await Promise.all(claimers);
  return given;
}

function repeats(given: readonly string[]): number {
  return given.length - new Set(given).size;
}

/** As it would be without the promise: look for a free key, then take it. */
async function selectThenUpdate(claimer: number, { userId, deviceId }: Person): Promise<string | undefined> {
  const { keys } = (claimer % 2 === 0 ? first : second).ctx.db;
  const free = await keys.one<{ id: number; keyId: string }>(
    `select id, key_id as "keyId" from keys.one_time_keys
     where user_id = $1 and device_id = $2 and claimed_at is null order by id limit 1`,
    [userId, deviceId],
  );
  if (!free) return undefined;
  await keys.change("update keys.one_time_keys set claimed_at = now() where id = $1", [free.id]);
  return free.keyId;
}

test(`G5: ${CLAIMERS} claimers at two servers are given each one-time key once`, async () => {
  const alice = await registerPerson(first.url, "alice");
  await alice.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(alice, KEYS) });
  const signedIn = await Promise.all([first.url, second.url].map((url) => signInPerson(url, "bob")));
  const given = await claimEverything(async (claimer) => (await claimOne(signedIn[claimer % 2] as Person, alice))?.[0]);
  assert.equal(repeats(given), 0);
  assert.equal(given.length, KEYS);
});

test("G5, control: a claim that selects and then updates gives keys twice, and the check sees it", async () => {
  const carol = await registerPerson(first.url, "carol");
  await carol.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(carol, KEYS) });
  const given = await claimEverything((claimer) => selectThenUpdate(claimer, carol));
  assert.ok(repeats(given) > 0, "no key was handed out twice");
});

test("G5: a key that somebody has taken and not committed yet is passed over, without a wait", async () => {
  const ivan = await registerPerson(first.url, "ivan");
  await ivan.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(ivan, 2) });
  const other = await connectOwner(first.databaseUrl);
  // Without the lock of the device, on which the promise does not rest.
  await other.query("begin");
  await other.query(
    `update keys.one_time_keys set claimed_at = now()
     where id = (select min(id) from keys.one_time_keys where user_id = $1)`,
    [ivan.userId],
  );
  assert.equal((await claimOne(bob, ivan))?.[0], `${SIGNED}:K2`);
  await other.query("rollback");
  await other.end();
  assert.equal((await claimOne(bob, ivan))?.[0], `${SIGNED}:K1`);
});

test("the counts that the log tells go down one by one, whichever server claims", async () => {
  const dave = await registerPerson(first.url, "dave");
  await dave.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(dave, 40) });
  const bobs = [bob, await signInPerson(second.url, "bob")];
  await Promise.all(Array.from({ length: 40 }, (_, i) => claimOne(bobs[i % 2] as Person, dave)));
  const rows = await first.ctx.db.log.query<{ body: string }>(
    "select body from log.entries where user_id = $1 and type = 'one_time_keys' order by position",
    [dave.userId],
  );
  const left = rows.map(({ body }) => JSON.parse(body).device_one_time_keys_count[SIGNED] as number | undefined);
  assert.deepEqual(
    left,
    Array.from({ length: 41 }, (_, i) => (i === 40 ? undefined : 40 - i)),
  );
});

test("one-time keys are handed out in the order in which they were uploaded", async () => {
  const erin = await registerPerson(first.url, "erin");
  for (const from of [5, 1, 3])
    await erin.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(erin, 1, from) });
  const names = [];
  for (let i = 0; i < 3; i++) names.push((await claimOne(bob, erin))?.[0]);
  assert.deepEqual(
    names,
    ["K5", "K1", "K3"].map((id) => `${SIGNED}:${id}`),
  );
});

test("one claim takes keys of many devices; those that have none, or not of this algorithm, are missing from the answer", async () => {
  const frank = await registerPerson(first.url, "frank", { device_id: "ONE" });
  const other = await signInPerson(first.url, "frank", { device_id: "TWO" });
  await frank.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(frank, 1) });
  await other.call("POST", `${V3}/keys/upload`, { fallback_keys: fallbackKeyOf(other, "F") });
  const wanted = {
    [frank.userId]: { ONE: SIGNED, TWO: SIGNED, THREE: SIGNED },
    [bob.userId]: { [bob.deviceId]: SIGNED },
    "@nobody:localhost": { PHONE: SIGNED },
  };
  const { one_time_keys, failures } = await bob.call("POST", `${V3}/keys/claim`, { one_time_keys: wanted });
  assert.deepEqual(Object.keys(one_time_keys), [frank.userId]);
  assert.deepEqual(one_time_keys[frank.userId].ONE, oneTimeKeysOf(frank, 1));
  assert.deepEqual(one_time_keys[frank.userId].TWO, fallbackKeyOf(other, "F"));
  assert.deepEqual(Object.keys(one_time_keys[frank.userId]).toSorted(), ["ONE", "TWO"]);
  assert.deepEqual(failures, {});
  const unknown = { one_time_keys: { [frank.userId]: { TWO: "unknown_algorithm" } } };
  assert.deepEqual((await bob.call("POST", `${V3}/keys/claim`, unknown)).one_time_keys, {});
});

test("a claim of more devices than one batch takes a key of each", async () => {
  const grace = await registerPerson(first.url, "grace");
  const devices = Array.from({ length: limits.keysClaimBatch_devices * 2 + 1 }, (_, i) => `D${i}`);
  await first.ctx.db.keys.query(
    `insert into keys.one_time_keys (user_id, device_id, algorithm, key_id, key)
     select $1, d, $3, 'K', '{"key":"k","signatures":{}}' from unnest($2::text[]) d`,
    [grace.userId, devices, SIGNED],
  );
  const wanted = { [grace.userId]: Object.fromEntries(devices.map((id) => [id, SIGNED])) };
  const { one_time_keys } = await bob.call("POST", `${V3}/keys/claim`, { one_time_keys: wanted });
  assert.equal(Object.keys(one_time_keys[grace.userId]).length, devices.length);
});

test("one person can claim only so many keys of another at a time", async () => {
  await using limited = await startTestServer({ databaseUrl: first.databaseUrl, config: { rateLimits: true } });
  const heidi = await registerPerson(first.url, "heidi");
  // Every device of the claimer has a bucket of its own for claims; the one for this target they share.
  const bobs = await Promise.all([1, 2].map(() => signInPerson(first.url, "bob")));
  const wanted = { one_time_keys: { [heidi.userId]: { [heidi.deviceId]: SIGNED } } };
  const statuses: number[] = [];
  for (let i = 0; i < limits.rates.claim.burst + 20; i++) {
    const { token } = bobs[i % 2] as Person;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const url = `${limited.url}${V3}/keys/claim`;
    statuses.push((await fetch(url, { method: "POST", headers, body: JSON.stringify(wanted) })).status);
  }
  assert.ok(statuses.slice(0, limits.rates.claim.burst).every((status) => status === 200));
  assert.ok(statuses.includes(429));
});
