/** Two releases beside each other: this one, and a next one that has a migration more. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startFollowing } from "../../../testkit/src/following.ts";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { readMessages, startWriting } from "../../../testkit/src/writers.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { StartError } from "../errors.ts";
import { startServer } from "../server.ts";
import { connectOwner } from "./database.ts";
import { migrate } from "./migrate.ts";

const OWN = fileURLToPath(new URL("./migrations/", import.meta.url));

/** Our migrations and one more of the log's, which is compatible with ours where `isExpansion`. */
function nextRelease(sql: string, { isExpansion }: { isExpansion: boolean }): Disposable & { migrations: URL } {
  const folder = mkdtempSync(join(tmpdir(), "parley-migrations-"));
  cpSync(OWN, folder, { recursive: true });
  const last = Math.max(...readdirSync(join(folder, "log")).map((name) => Number.parseInt(name, 10)));
  const [own, next] = [last, last + 1].map((number) => String(number).padStart(4, "0"));
  writeFileSync(join(folder, "log", `${next}_next.sql`), `${isExpansion ? `-- compatible since: ${own}\n` : ""}${sql}`);
  return {
    migrations: pathToFileURL(`${folder}/`),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const EXPANSION = `
  alter table log.entries add column note text not null default 'none';
  create table log.notes (position bigint primary key, note text not null);
  create index entries_note on log.entries (note) where note <> 'none';`;

test("an expansion is applied while the release before serves, both go on beside each other, and positions and tokens stay", async () => {
  using next = nextRelease(EXPANSION, { isExpansion: true });
  await using old = await startTestServer();
  const alice = await registerPerson(old.url, "alice");
  const room = await createRoom(alice);
  const { next_batch: since } = await alice.call("GET", "/_matrix/client/v3/sync");
  let url = old.url;
  const writers = [{ person: alice, roomId: room.id }];
  // Before anybody writes: what was said before its first sync it does not hear.
  await using hears = await startFollowing(alice, { roomId: room.id, url: () => old.url });
  using writing = startWriting(writers, () => url, Math.random);
  await writing.acknowledged(20);

  const config = { ...old.ctx.config, databaseUrl: old.databaseUrl };
  const server = await startServer(config, { migrations: next.migrations });
  await using beside = { url: server.url, [Symbol.asyncDispose]: server.stop };
  await writing.acknowledged(20);
  url = beside.url;
  await writing.acknowledged(20);
  // The release before may even start again.
  await using again = await startTestServer({ databaseUrl: old.databaseUrl });
  url = again.url;
  await writing.acknowledged(20);
  await writing.finish();

  const order = (await readMessages(beside.url, { person: alice, roomId: room.id })).map(({ eventId }) => eventId);
  assert.equal(order.length, writing.sent.length);
  await hears.until(order);
  assert.deepEqual(hears.received, order);
  for (const each of [old, beside, again]) {
    const path = `/_matrix/client/v3/sync?since=${since}`;
    const { body } = await request(each.url, "GET", path, { token: alice.token });
    assert.equal(body.rooms.join[room.id].timeline.events.at(-1).event_id, order.at(-1));
  }
});

test("a schema that is not compatible with this release stops its start, and says which migration that is", async () => {
  using next = nextRelease("create table log.more (a integer)", { isExpansion: false });
  await using database = await createTestDatabase();
  await migrate(database.url, { folder: next.migrations });
  await assert.rejects(migrate(database.url), (error) => {
    assert.ok(error instanceof StartError);
    return /newer Parley.*_next/.test(error.message);
  });
});

test("a migration that waits for a lock lets those behind it pass, and comes through in the end", async () => {
  using next = nextRelease(EXPANSION, { isExpansion: true });
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const room = await createRoom(alice);
  const [holder, watcher] = [await connectOwner(server.databaseUrl), await connectOwner(server.databaseUrl)];
  await holder.query("begin; lock table log.entries in row exclusive mode");
  const migrating = migrate(server.databaseUrl, { folder: next.migrations });
  const waits = `select from pg_stat_activity where application_name = 'parley migrate' and wait_event_type = 'Lock'
    and datname = current_database()`;
  await soonFound("the migration waits for the lock", async () => (await watcher.query(waits)).rowCount !== 0);
  // Behind the migration in the queue of the table's lock.
  await room.say(alice, "let me through");
  await holder.query("commit");
  for (const each of [holder, watcher]) await each.end();
  await migrating;
});

test("a start that was cut short between a migration and its rights is made good by the next", async () => {
  using next = nextRelease("create table log.more (a integer)", { isExpansion: false });
  await using database = await createTestDatabase();
  await migrate(database.url, { folder: next.migrations });
  const owner = await connectOwner(database.url);
  await owner.query("revoke select on log.more from parley_log; update parley.migrations set granted_at = null");
  await migrate(database.url, { folder: next.migrations });
  const { rows } = await owner.query("select has_table_privilege('parley_log', 'log.more', 'select') as may");
  await owner.end();
  assert.deepEqual(rows, [{ may: true }]);
});
