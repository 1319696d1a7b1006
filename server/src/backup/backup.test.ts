/** G16: a restored backup is a consistent past, and clients that were ahead of it notice. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { parley as parleyWith, sql } from "../../../testkit/src/command.ts";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { readMessages, startWriting } from "../../../testkit/src/writers.ts";
import { nameOf } from "../blobs/blobs.ts";
import { connectOwner } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { roleOf, schemas } from "../db/roles.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-backup-"));
after(() => rmSync(folder, { recursive: true, force: true }));
/** The backup that the tests use: taken while people write. */
const taken = join(folder, "taken");

async function parley(typed: readonly string[], env: Record<string, string>) {
  const { code, error, json } = await parleyWith([...typed, "--json"], { env });
  const { checks, ...data }: Json = json();
  const wrong = (checks ?? []).filter(({ ok }: Json) => !ok).map(({ check }: Json) => check);
  return { code, data, wrong: wrong as string[], error };
}

/** A database with nothing in it. */
async function emptyDatabase() {
  const database = await createTestDatabase();
  await sql(database.url, [...schemas, "parley"].map((schema) => `drop schema ${schema} cascade`).join("; "));
  return database;
}

/** What a client of the room shows: what it was told last, from the last gap on. */
async function follow(view: { since: string; shown: string[] }, { url, token, room }: Asked): Promise<void> {
  const { status, body } = await request(url, "GET", `/_matrix/client/v3/sync?since=${view.since}`, { token });
  // A client that is refused tries again later.
  if (status !== 200) return;
  const timeline = body.rooms?.join?.[room.id]?.timeline;
  view.since = body.next_batch;
  if (timeline?.limited) view.shown = [];
  for (const event of timeline?.events ?? []) if (event.type === "m.room.message") view.shown.push(event.event_id);
}
type Asked = { url: string; token: string; room: TestRoom };

/** What happened before: the world of the backup, and a client that went on after it was taken. */
let alice: Person;
let room: TestRoom;
let newest: { since: string; shown: string[] };
let inBackup: string[];
let media: string;

before(async () => {
  await using server = await startTestServer();
  const env = { DATABASE_URL: server.databaseUrl, PARLEY_DATA_DIR: server.dataDir };
  alice = await registerPerson(server.url, "alice");
  const bob = await registerPerson(server.url, "bob");
  room = await createRoom(alice);
  await room.change(bob, "join");
  const first = await room.say(alice, "first");
  await bob.call("POST", `${room.path}/receipt/m.read/${encodeURIComponent(first)}`, {});
  await alice.call("PUT", `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/account_data/a.b`, {
    a: "\u0000",
  });
  await room.redact(alice, await room.say(alice, "gone"));
  const path = "/_matrix/media/v3/upload";
  media = (await request(server.url, "POST", path, { token: alice.token, body: Buffer.from("a file") })).body
    .content_uri;

  using writing = startWriting([{ person: alice, roomId: room.id }], () => server.url, Math.random);
  await writing.acknowledged(10);
  const backedUp = await parley(["backup", taken, "--files"], env);
  assert.equal(backedUp.code, 0, backedUp.error);
  await writing.acknowledged(10);
  await writing.finish();

  // The client goes on, and knows more than the backup.
  await room.say(alice, "after the backup");
  const { body } = await request(server.url, "GET", "/_matrix/client/v3/sync", alice);
  newest = { since: body.next_batch, shown: [] };
  const all = (await readMessages(server.url, { person: alice, roomId: room.id })).map(({ eventId }) => eventId);
  newest.shown = all;
  const { position } = backedUp.data.log;
  const rows = await sql<{ event_id: string }>(
    server.databaseUrl,
    `select event_id from log.entries where kind = 'event' and type = 'm.room.message' and state_key is null and position <= ${position} order by position`,
  );
  inBackup = rows.map(({ event_id }) => event_id).filter((id) => all.includes(id));
  assert.ok(inBackup.length >= 10 && inBackup.length < all.length);
});

/** Restores into a new database and starts a server on it; `tamper` is done between. */
async function restored(tamper = "select 1") {
  await using started = new AsyncDisposableStack();
  const database = started.use(await emptyDatabase());
  const dataDir = mkdtempSync(join(folder, "data-"));
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: dataDir };
  const done = await parley(["restore", taken], env);
  assert.equal(done.code, 0, done.error);
  const verified = await parley(["restore", "verify", taken], env);
  assert.deepEqual([verified.code, verified.wrong], [0, []]);
  await sql(database.url, tamper);
  const server = started.use(await startTestServer({ databaseUrl: database.url, config: { dataDir } }));
  const ending = started.move();
  return { server, env, [Symbol.asyncDispose]: () => ending.disposeAsync() };
}

/** A client that was ahead comes back, and somebody sends. Gives what the client shows, and what the server has. */
async function comeBack(url: string, { syncsFirst = true } = {}) {
  const view = { since: newest.since, shown: [...newest.shown] };
  const asked = { url, token: alice.token, room };
  if (syncsFirst) await follow(view, asked);
  const sent: string[] = [];
  for (const n of [1, 2, 3]) {
    const path = `${room.path}/send/m.room.message/again${n}`;
    const body = { msgtype: "m.text", body: `again ${n}` };
    sent.push((await request(url, "PUT", path, { token: alice.token, body })).body.event_id);
  }
  await follow(view, asked);
  const person = { ...alice, call: alice.call };
  const has = (await readMessages(url, { person, roomId: room.id })).map(({ eventId }) => eventId);
  return { shown: view.shown, sent, has };
}

test("a backup taken under load restores to a prefix; a client that was ahead starts over, and what is sent then reaches it", async () => {
  await using world = await restored();
  const { shown, sent, has } = await comeBack(world.server.url);
  assert.deepEqual(has, [...inBackup, ...sent]);
  assert.deepEqual(shown, has.slice(-shown.length));
  assert.ok(shown.length > sent.length);
  // Files, sign-in and receipts are those of the backup.
  const file = await request(
    world.server.url,
    "GET",
    media.replace("mxc://", "/_matrix/client/v1/media/download/"),
    alice,
  );
  assert.equal(String(file.body), "a file");
  const { body } = await request(world.server.url, "GET", "/_matrix/client/v3/sync", alice);
  const receipts = body.rooms.join[room.id].ephemeral.events.find(({ type }: Json) => type === "m.receipt");
  assert.ok(receipts);
  assert.equal(body.account_data.events.find(({ type }: Json) => type === "a.b").content.a, "\u0000");
  await registerPerson(world.server.url, "carol");
});

test("the control: without a new epoch the client goes on from a past that never was, and misses what is sent", async () => {
  const { log } = JSON.parse(readFileSync(join(taken, "manifest.json"), "utf8"));
  await using world = await restored(`update log.head set epoch = ${log.epoch}`);
  const { shown, has } = await comeBack(world.server.url, { syncsFirst: false });
  assert.notDeepEqual(shown, has.slice(-shown.length));
});

test("restore verify finds each kind of damage", async () => {
  await using database = await emptyDatabase();
  const dataDir = mkdtempSync(join(folder, "data-"));
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: dataDir };
  assert.equal((await parley(["restore", taken], env)).code, 0);
  const { log } = JSON.parse(readFileSync(join(taken, "manifest.json"), "utf8"));
  const message = "kind = 'event' and type = 'm.room.message'";
  const damages: [string, string[]][] = [
    [`delete from log.entries where position = (select min(position) from log.entries where ${message})`, ["log"]],
    [`update log.entries set body = replace(body, 'first', 'worst')`, ["log"]],
    [
      `update log.entries set position = position + 1000 where position = (select max(position) from log.entries)`,
      ["head", "log"],
    ],
    [`update log.head set position = position - 1`, ["head", "log"]],
    [`update log.head set epoch = ${log.epoch}`, ["epoch"]],
    [`delete from log.state where type = 'm.room.name' or type = 'm.room.join_rules'`, ["state"]],
    [`update log.members set membership = 'ban' where user_id like '@bob%'`, ["members"]],
    [`update log.rooms set version = version + 1`, ["rooms"]],
    [`update log.receipts set event_position = event_position - 1 where type = 'm.read'`, ["receipts"]],
    [`update log.account_data set content = '{}'`, ["account data"]],
    [`update media.media set sha256 = repeat('0', 64)`, ["files"]],
  ];
  const client = await connectOwner(database.url);
  for (const [damage, expected] of damages) {
    const undo = await snapshot(database.url);
    await sql(database.url, damage);
    const { code, wrong } = await parley(["restore", "verify", taken], env);
    assert.deepEqual([damage, code, wrong.filter((each) => expected.includes(each))], [damage, 1, expected]);
    await undo();
  }
  await client.end();
  const [blob = ""] = readdirSync(join(dataDir, "media"), { recursive: true, encoding: "utf8" }).filter((name) =>
    /[0-9a-f]{64}$/.test(name),
  );
  writeFileSync(join(dataDir, "media", blob), "another");
  assert.deepEqual((await parley(["restore", "verify", taken], env)).wrong, ["files"]);
  assert.equal((await parley(["restore", "verify", taken, "--no-files"], env)).code, 0);
});

/** Keeps what the damages touch aside; gives what brings it back. */
async function snapshot(url: string): Promise<() => Promise<void>> {
  const tables = [
    "log.entries",
    "log.head",
    "log.state",
    "log.members",
    "log.rooms",
    "log.receipts",
    "log.account_data",
    "media.media",
  ];
  await sql(url, tables.map((name) => `create table aside_${name.replace(".", "_")} as table ${name}`).join("; "));
  return async () => {
    const back = tables.map(
      (name) =>
        `delete from ${name}; insert into ${name} table aside_${name.replace(".", "_")}; drop table aside_${name.replace(".", "_")}`,
    );
    await sql(url, back.join("; "));
  };
}

test("restore epoch raises it where the restore was not Parley's, and two restores of one backup differ", async () => {
  const epochs = new Set<number>();
  for (const _ of [1, 2]) {
    await using database = await emptyDatabase();
    const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: folder };
    const { data } = await parley(["restore", taken, "--no-files"], env);
    epochs.add(data.epoch);
    const raised = await parley(["restore", "epoch"], env);
    assert.ok(raised.data.epoch > data.epoch);
  }
  assert.equal(epochs.size, 2);
});

test("what is damaged, cut short, of a newer Parley, or would overwrite something is refused and leaves nothing", async () => {
  await using database = await emptyDatabase();
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: folder };
  const change = async (name: string, harm: (path: string) => void, expected: RegExp) => {
    const copy = join(folder, name);
    cpSync(taken, copy, { recursive: true });
    harm(copy);
    const { code, error } = await parley(["restore", copy], env);
    assert.equal(code, 1, name);
    assert.match(error, expected);
  };
  const cut = (path: string) => rmSync(join(path, "manifest.json"));
  await change("cut", cut, /is no backup.*cut short/);
  const edit = (text: (manifest: Json) => void) => (path: string) => {
    const file = join(path, "manifest.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    text(manifest);
    writeFileSync(file, JSON.stringify(manifest));
  };
  const newer = edit(({ migrations }) => migrations.push({ schema: "log", number: 9_999, name: "9999_future" }));
  await change("newer", newer, /newer Parley.*log\/9999_future/);
  await change(
    "other",
    edit((manifest) => (manifest.format = 2)),
    /not what this version of Parley writes/,
  );
  const replaced = (path: string) =>
    cpSync(join(path, "tables", "log.members.gz"), join(path, "tables", "log.state.gz"));
  await change("replaced", replaced, /log\.state\.gz is not the file that the backup wrote/);
  const truncated = (path: string) => {
    const file = join(path, "tables", "log.entries.gz");
    writeFileSync(file, readFileSync(file).subarray(0, 100));
  };
  await change("truncated", truncated, /log\.entries\.gz is not the file that the backup wrote/);
  const altered = (path: string) => {
    const file = join(path, "tables", "log.entries.gz");
    const text = gunzipSync(readFileSync(file)).toString("latin1").replace("first", "worst");
    writeFileSync(file, gzipSync(Buffer.from(text, "latin1")));
  };
  await change("altered", altered, /log\.entries\.gz is not the file that the backup wrote/);
  const blobIn = (path: string) => {
    const [sha256 = ""] = readFileSync(join(path, "blobs.txt"), "utf8").split(" ");
    return join(path, "blobs", sha256.slice(0, 2), sha256);
  };
  await change("lacking", (path) => rmSync(blobIn(path)), /lacks a file.*blobs/);
  await change(
    "damaged",
    (path) => writeFileSync(blobIn(path), "b file"),
    /blobs.*is not the file that the backup wrote/,
  );
  await change("unlisted", (path) => writeFileSync(join(path, "blobs.txt"), ""), /blobs\.txt is not the file/);
  assert.deepEqual(await sql(database.url, "select from log.entries union all select from auth.accounts"), []);

  assert.equal((await parley(["restore", taken, "--no-files"], env)).code, 0);
  const again = await parley(["restore", taken, "--no-files"], env);
  assert.deepEqual([again.code, /not empty/.test(again.error)], [1, true]);
  const into = await parley(["backup", taken], env);
  assert.deepEqual([into.code, /not empty/.test(into.error)], [1, true]);
});

test("a restore is refused while Parley runs on the database, also where nobody has written yet", async () => {
  await using database = await emptyDatabase();
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: folder };
  await using running = await startTestServer({ databaseUrl: database.url });
  const refused = await parley(["restore", taken, "--no-files"], env);
  assert.deepEqual([refused.code, /Parley runs on this database/.test(refused.error)], [1, true], refused.error);
  await running.halt();
  assert.equal((await parley(["restore", taken, "--no-files"], env)).code, 0);
});

test("a backup of an older schema is restored as it was, and migrated then; sequences go on behind what is there", async () => {
  await using old = await emptyDatabase();
  await migrate(old.url, { isWanted: ({ schema, number }) => schema !== "log" || number < 5 });
  const report = "insert into rooms.reports (reporter, reason) values ('@old:example.org', 'spam')";
  const event = "insert into log.entries (position, kind, body, user_id) values (1, 'event', '{}', '@old:example.org')";
  await sql(old.url, `${report}; ${event}; update log.head set position = 1`);
  const taken = join(folder, "older");
  assert.equal((await parley(["backup", taken], { DATABASE_URL: old.url })).code, 0);
  await using database = await emptyDatabase();
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: folder };
  const { code, error } = await parley(["restore", taken], env);
  assert.equal(code, 0, error);
  assert.equal((await parley(["release", "wait", "--timeout-s", "0"], env)).code, 0);
  // A migration that has come since has seen what was restored.
  assert.deepEqual(await sql(database.url, "select server_name from log.installation"), [
    { server_name: "example.org" },
  ]);
  assert.deepEqual(await sql(database.url, `${report} returning report_id`), [{ report_id: 2 }]);
});

test("a restore needs an owner who is a member of the roles, and no more; whoever serves is let in by it", async () => {
  await using database = await createTestDatabase();
  const name = "restored_plainly";
  const [admin, owner, serving] = ["", "plain_owner", "plain_serving"].map((user) =>
    (user === "" ? database.url : database.url.replace(/\/\/[^@]*@/, `//${user}@`)).replace(/\/[^/]*$/, `/${name}`),
  ) as [string, string, string];
  const roles = schemas.map(roleOf).join(", ");
  await sql(database.url, "create role plain_owner login; create role plain_serving login");
  await sql(database.url, `grant ${roles} to plain_owner with admin option`);
  await sql(database.url, `create database ${name} owner plain_owner template template0`);
  try {
    const env = { DATABASE_URL: serving, DATABASE_OWNER_URL: owner, PARLEY_DATA_DIR: folder };
    const { code, error } = await parley(["restore", taken, "--no-files"], env);
    assert.equal(code, 0, error);
    assert.equal((await parley(["restore", "verify", taken, "--no-files"], env)).code, 0);
    const config = { migrate: "wait", dataDir: folder } as const;
    await using server = await startTestServer({ databaseUrl: serving, config });
    assert.equal((await request(server.url, "GET", "/_matrix/client/v3/sync", alice)).status, 200);
    assert.equal((await parley(["backup", join(folder, "by-serving")], { DATABASE_URL: serving })).code, 0);
  } finally {
    await sql(admin, "drop owned by plain_serving; reassign owned by plain_owner to current_user");
    await sql(database.url, `drop database ${name} with (force)`);
    await sql(database.url, "drop owned by plain_owner, plain_serving; drop role plain_serving, plain_owner");
  }
});

test("a file that is missing in the store, or is another one, is told by the backup that should copy it", async () => {
  await using database = await emptyDatabase();
  const dataDir = mkdtempSync(join(folder, "data-"));
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: dataDir };
  assert.equal((await parley(["restore", taken, "--no-files"], env)).code, 0);
  const missing = await parley(["backup", join(folder, "without"), "--files"], env);
  assert.deepEqual([missing.code, /not in the store/.test(missing.error)], [1, true]);
  assert.ok(!existsSync(join(folder, "without", "manifest.json")));
  const [sha256 = ""] = readFileSync(join(taken, "blobs.txt"), "utf8").split(" ");
  mkdirSync(join(dataDir, "media", sha256.slice(0, 2)), { recursive: true });
  writeFileSync(join(dataDir, "media", nameOf(sha256)), "b file");
  const another = await parley(["backup", join(folder, "another"), "--files"], env);
  assert.deepEqual([another.code, /is damaged/.test(another.error)], [1, true], another.error);
  assert.ok(!existsSync(join(folder, "another", "manifest.json")));
  assert.equal((await parley(["backup", join(folder, "listed")], env)).code, 0);
});
