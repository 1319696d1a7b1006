import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../../testkit/src/http.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { limits } from "../../limits.ts";

const server = await startTestServer();
after(() => server.stop());

const KEYS = "/_matrix/client/v3/room_keys/keys";
const VERSION = "/_matrix/client/v3/room_keys/version";
const ALGORITHM = "m.megolm_backup.v1.curve25519-aes-sha2";
const ROOM = "!room:localhost";

let people = 0;
const somebody = () => registerPerson(server.url, `person${++people}`);

interface Key {
  first_message_index: number;
  forwarded_count: number;
  is_verified: boolean;
  session_data: object;
}

function key(change: Partial<Key> = {}): Key {
  return { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: { mac: "m" }, ...change };
}

async function create(person: Person): Promise<string> {
  const body = { algorithm: ALGORITHM, auth_data: { public_key: "abc", signatures: {} } };
  return (await person.call("POST", VERSION, body)).version as string;
}

/** Somebody with a backup. */
async function withBackup() {
  const person = await somebody();
  const version = await create(person);
  const at = (...path: string[]) =>
    `${[KEYS, ...path.map((each) => encodeURIComponent(each))].join("/")}?version=${version}`;
  return { person, version, at };
}

const errorOf = async (answer: ReturnType<Person["ask"]>) => [(await answer).status, (await answer).body.errcode];
const NOT_FOUND = [404, "M_NOT_FOUND"];

test("the latest backup is the current one, and its number is not used again after its end", async () => {
  const alice = await somebody();
  assert.deepEqual(await errorOf(alice.ask("GET", VERSION)), NOT_FOUND);
  assert.equal(await create(alice), "1");
  assert.equal(await create(alice), "2");
  assert.equal((await alice.call("GET", VERSION)).version, "2");
  await alice.call("DELETE", `${VERSION}/2`);
  assert.equal((await alice.call("GET", VERSION)).version, "1");
  assert.equal(await create(alice), "3");
});

test("a backup is described by its algorithm, its data, its etag and how many keys it has", async () => {
  const { person, version, at } = await withBackup();
  await person.call("PUT", at(ROOM, "s"), key());
  assert.deepEqual(await person.call("GET", `${VERSION}/${version}`), {
    algorithm: ALGORITHM,
    auth_data: { public_key: "abc", signatures: {} },
    count: 1,
    etag: "1",
    version,
  });
});

test("only what the owner says about a backup can be changed", async () => {
  const { person, version } = await withBackup();
  const body = { algorithm: ALGORITHM, auth_data: { public_key: "xyz" }, version };
  await person.call("PUT", `${VERSION}/${version}`, body);
  assert.deepEqual((await person.call("GET", VERSION)).auth_data, { public_key: "xyz" });
  const refused = (change: object) => errorOf(person.ask("PUT", `${VERSION}/${version}`, { ...body, ...change }));
  assert.deepEqual(await refused({ algorithm: "another" }), [400, "M_INVALID_PARAM"]);
  assert.deepEqual(await refused({ version: "7" }), [400, "M_INVALID_PARAM"]);
  assert.deepEqual(await errorOf(person.ask("PUT", `${VERSION}/7`, { ...body, version: "7" })), NOT_FOUND);
  assert.deepEqual((await person.call("GET", VERSION)).auth_data, { public_key: "xyz" });
});

test("a deleted backup is gone with its keys, and deleting it again is well", async () => {
  const { person, version, at } = await withBackup();
  await person.call("PUT", at(ROOM, "s"), key());
  for (let i = 0; i < 2; i++) assert.deepEqual(await person.call("DELETE", `${VERSION}/${version}`), {});
  for (const path of [`${VERSION}/${version}`, at(), at(ROOM), at(ROOM, "s")])
    assert.deepEqual(await errorOf(person.ask("GET", path)), NOT_FOUND);
  const rows = await server.ctx.db.keys.query("select 1 from keys.backup_keys where user_id = $1", [person.userId]);
  assert.equal(rows.length, 0);
  assert.deepEqual(await errorOf(person.ask("DELETE", `${VERSION}/9`)), NOT_FOUND);
});

test("keys are stored and given by session, by room and all together", async () => {
  const { person, at } = await withBackup();
  const [one, two, three] = [1, 2, 3].map((n) => key({ session_data: { n, text: "\0 \u{1f511}" } }));
  assert.deepEqual(await person.call("PUT", at(ROOM, "a/b+c"), one), { etag: "1", count: 1 });
  assert.deepEqual(await person.call("PUT", at(ROOM), { sessions: { two } }), { etag: "2", count: 2 });
  const rooms = { rooms: { "!other:localhost": { sessions: { three } } } };
  assert.deepEqual(await person.call("PUT", at(), rooms), { etag: "3", count: 3 });
  assert.deepEqual(await person.call("GET", at(ROOM, "a/b+c")), one);
  const room = { sessions: { "a/b+c": one, two } };
  assert.deepEqual(await person.call("GET", at(ROOM)), room);
  assert.deepEqual(await person.call("GET", at()), { rooms: { ...rooms.rooms, [ROOM]: room } });
});

test("where nothing is stored, a session is not found, and a room or all rooms are empty", async () => {
  const { person, at } = await withBackup();
  assert.deepEqual(await errorOf(person.ask("GET", at(ROOM, "s"))), NOT_FOUND);
  assert.deepEqual(await person.call("GET", at(ROOM)), { sessions: {} });
  assert.deepEqual(await person.call("GET", at()), { rooms: {} });
});

test("keys are deleted by session, by room and all together", async () => {
  const { person, at } = await withBackup();
  const sessions = { one: key(), two: key(), three: key() };
  await person.call("PUT", at(), { rooms: { [ROOM]: { sessions }, "!other:localhost": { sessions } } });
  assert.deepEqual(await person.call("DELETE", at(ROOM, "one")), { etag: "2", count: 5 });
  assert.deepEqual(await person.call("DELETE", at(ROOM, "one")), { etag: "2", count: 5 });
  assert.deepEqual(await person.call("DELETE", at(ROOM)), { etag: "3", count: 3 });
  assert.deepEqual(await person.call("DELETE", at()), { etag: "4", count: 0 });
  assert.deepEqual(await errorOf(person.ask("DELETE", `${KEYS}?version=9`)), NOT_FOUND);
});

test("keys can be put into the current backup alone, and the answer names it", async () => {
  const alice = await somebody();
  const put = (version: string) => alice.ask("PUT", `${KEYS}/${ROOM}/s?version=${version}`, key());
  assert.deepEqual(await errorOf(put("1")), NOT_FOUND);
  for (let i = 0; i < 2; i++) await create(alice);
  const { status, body } = await put("1");
  assert.deepEqual([status, body.errcode, body.current_version], [403, "M_WRONG_ROOM_KEYS_VERSION", "2"]);
  for (const unknown of ["3", "0", "none", "9".repeat(40)]) assert.deepEqual(await errorOf(put(unknown)), NOT_FOUND);
  assert.equal((await alice.ask("PUT", `${KEYS}/${ROOM}/s`, key())).body.errcode, "M_MISSING_PARAM");
});

const better: [string, Partial<Key>, Partial<Key>, "old" | "new"][] = [
  ["the same again", {}, {}, "old"],
  ["verified, before not", { is_verified: false }, { is_verified: true }, "new"],
  ["not verified, before verified", { is_verified: true }, { is_verified: false }, "old"],
  ["a lower first index", { first_message_index: 5 }, { first_message_index: 4 }, "new"],
  ["a higher first index", { first_message_index: 4 }, { first_message_index: 5 }, "old"],
  ["a lower forwarded count", { forwarded_count: 2 }, { forwarded_count: 1 }, "new"],
  ["a higher forwarded count", { forwarded_count: 1 }, { forwarded_count: 2 }, "old"],
  ["verified with a higher index", { first_message_index: 1 }, { is_verified: true, first_message_index: 9 }, "new"],
  ["not verified with a lower index", { is_verified: true, first_message_index: 9 }, { first_message_index: 1 }, "old"],
  ["a lower index, forwarded more", { first_message_index: 2 }, { first_message_index: 1, forwarded_count: 9 }, "new"],
  ["a higher index, forwarded less", { forwarded_count: 9 }, { first_message_index: 1 }, "old"],
  ["verified, forwarded more", { forwarded_count: 1 }, { is_verified: true, forwarded_count: 2 }, "new"],
];

for (const [what, before, after, stays] of better)
  test(`of two keys for one session the better stays: ${what}, so the ${stays} one`, async () => {
    const { person, at } = await withBackup();
    await person.call("PUT", at(ROOM, "s"), key({ ...before, session_data: { which: "old" } }));
    const answer = await person.call("PUT", at(ROOM, "s"), key({ ...after, session_data: { which: "new" } }));
    assert.deepEqual((await person.call("GET", at(ROOM, "s"))).session_data, { which: stays });
    // Where nothing changed, the etag says so.
    assert.deepEqual(answer, { etag: stays === "new" ? "2" : "1", count: 1 });
  });

test("tens of thousands of keys are stored and given again whole", async () => {
  const { person, at } = await withBackup();
  const data = { ciphertext: "c".repeat(400), ephemeral: "e".repeat(43), mac: "m".repeat(11) };
  const sessions = Object.fromEntries(
    Array.from({ length: 400 }, (_, n) => [`s${n}`, key({ first_message_index: n, session_data: data })]),
  );
  const rooms = (from: number) =>
    Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`!room${from + n}:localhost`, { sessions }]));
  assert.deepEqual(await person.call("PUT", at(), { rooms: rooms(0) }), { etag: "1", count: 10_000 });
  assert.deepEqual(await person.call("PUT", at(), { rooms: rooms(25) }), { etag: "2", count: 20_000 });
  assert.deepEqual(await person.call("GET", at()), { rooms: { ...rooms(0), ...rooms(25) } });
});

test("a room with more keys than one page is given whole", async () => {
  const { person, at } = await withBackup();
  for (const length of [limits.backupPage_sessions, limits.backupPage_sessions + 1]) {
    const sessions = Object.fromEntries(Array.from({ length }, (_, n) => [`s${n}`, key()]));
    await person.call("PUT", at(ROOM), { sessions });
    assert.deepEqual(await person.call("GET", at(ROOM)), { sessions });
    assert.deepEqual(await person.call("GET", at()), { rooms: { [ROOM]: { sessions } } });
  }
});

test("one's backup is nobody else's", async () => {
  const { at, person } = await withBackup();
  await person.call("PUT", at(ROOM, "s"), key());
  const bob = await somebody();
  for (const path of [at(), at(ROOM), at(ROOM, "s"), `${VERSION}/1`])
    assert.deepEqual(await errorOf(bob.ask("GET", path)), NOT_FOUND);
  assert.deepEqual(await errorOf(bob.ask("DELETE", at())), NOT_FOUND);
});

test("what is not a key is refused", async () => {
  const { person, at } = await withBackup();
  const errcode = async (change: object) =>
    (await person.ask("PUT", at(ROOM, "s"), { ...key(), ...change })).body.errcode;
  assert.equal(await errcode({ is_verified: undefined }), "M_MISSING_PARAM");
  for (const change of [{ first_message_index: -1 }, { forwarded_count: 0.5 }, { session_data: "text" }])
    assert.equal(await errcode(change), "M_BAD_JSON");
  const large = { text: "x".repeat(limits.backupSession_bytes) };
  assert.equal(await errcode({ session_data: large }), "M_TOO_LARGE");
  const longId = at(ROOM, "s".repeat(limits.identifier_bytes + 1));
  assert.equal((await person.ask("PUT", longId, key())).body.errcode, "M_INVALID_PARAM");
});

test("two devices that upload at once leave the right count", async () => {
  const { person, at } = await withBackup();
  const part = (n: number) => ({ sessions: { shared: key({ first_message_index: n }), [`own${n}`]: key() } });
  await Promise.all(Array.from({ length: 10 }, (_, n) => person.call("PUT", at(ROOM), part(n))));
  assert.equal((await person.call("GET", VERSION)).count, 11);
  assert.equal((await person.call("GET", at(ROOM, "shared"))).first_message_index, 0);
});
