/** The doctor at a PostgreSQL that loses commits, has no connections left, or whose standby is away. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Examined, examine } from "../../../../testkit/src/doctor.ts";
import {
  createPostgres,
  createStandby,
  makeSynchronous,
  type Postgres,
  until,
} from "../../../../testkit/src/postgres.ts";
import { temporaryDirectory } from "../../../../testkit/src/process.ts";
import { connectOwner } from "../../db/database.ts";
import { migrate } from "../../db/migrate.ts";

const directory = temporaryDirectory();
after(() => directory[Symbol.dispose]());

test("fsync off, no connections left, and standbys: asynchronous, synchronous, and one that is not there", async () => {
  const primary: Postgres = await createPostgres(join(directory.path, "a"), { max_connections: "24", fsync: "off" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => primary.crash());
  // It has migrated when it refuses.
  await assert.rejects(migrate(primary.url), /fsync = off/);
  const env = { DATABASE_URL: primary.url, PARLEY_DATA_DIR: directory.path };
  const only = ({ findings }: Examined, check: string) => findings.filter((each) => each.check === check);
  const of = async (check: string) => only(await examine(env), check);
  const alone = await examine(env);
  assert.equal(only(alone, "standby")[0]?.state, "ok");
  const [fsync] = only(alone, "durability");
  assert.deepEqual([fsync?.state, /fsync = off/.test(fsync?.says ?? "")], ["failure", true]);

  const standby = await createStandby(primary, { directory: join(directory.path, "b"), name: "b" });
  stack.defer(() => standby.crash());
  const streaming = "select from pg_stat_replication where state = 'streaming'";
  await until("the standby", async () => (await primary.query(streaming)).length === 1);
  const [asynchronous] = await of("standby");
  assert.deepEqual(
    [asynchronous?.state, /No standby is synchronous: b \(async\)/.test(asynchronous?.says ?? "")],
    ["failure", true],
  );
  await makeSynchronous(primary, "b");
  assert.equal((await of("standby"))[0]?.state, "ok");
  await primary.query("alter system set synchronous_standby_names = 'nobody'");
  await primary.query("select pg_reload_conf()");
  await until(
    "the change",
    async () => (await primary.query("select from pg_stat_replication where sync_state = 'async'")).length === 1,
  );
  const [missing] = await of("standby");
  assert.match(missing?.says ?? "", /names no standby that is connected/);
  await primary.query("alter system set synchronous_standby_names = ''");
  await primary.query("select pg_reload_conf()");

  const held = await Promise.all(Array.from({ length: 17 }, () => connectOwner(primary.url)));
  assert.equal((await of("connections"))[0]?.state, "failure");
  await Promise.all(held.map((each) => each.end()));
});
