/** G15: a database that is away, out of connections or read-only is told as such, and other errors stay what they are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapSpaceStatistics } from "node:v8";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { openWayTo } from "../../../testkit/src/tcp-proxy.ts";
import { soon, soonFound } from "../../../testkit/src/wait.ts";
import type { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { connectOwner, type Database, openDatabase, sqlState } from "./database.ts";
import { schemas } from "./roles.ts";

const unavailable = { errcode: "IO_PARLEY_UNAVAILABLE", status: 503, retryAfter_ms: 2_000 };

test("a database that can not be reached is unavailable", async () => {
  const db = openDatabase({ url: "postgres://a@127.0.0.1:1/a", connections: 1, onError: () => {}, patience_ms: 0 });
  await assert.rejects(db.log.query("select 1"), unavailable);
  await db.close();
});

test("a read-only database is unavailable for changes, and still reads", async () => {
  await using database = await createTestDatabase();
  const owner = await connectOwner(database.url);
  const name = database.url.slice(database.url.lastIndexOf("/") + 1);
  await owner.query(`alter database ${name} set default_transaction_read_only = on`);
  await owner.end();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {}, patience_ms: 0 });
  await assert.rejects(db.log.change("update log.head set epoch = epoch"), unavailable);
  assert.equal((await db.log.query("select 1 from log.head")).length, 1);
  await db.close();
});

/** What can be made again from the log: see PROJECTION in database.ts. */
const projections: readonly string[] = ["graph", "search"];

test("G1: commits wait for the disk and the standby in every domain but the projections, whatever the database's default says", async () => {
  await using database = await createTestDatabase();
  const owner = await connectOwner(database.url);
  const name = database.url.slice(database.url.lastIndexOf("/") + 1);
  await owner.query(`alter database ${name} set synchronous_commit = off`);
  await owner.end();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  const asked = `select current_setting('synchronous_commit') as "on"`;
  const found = await Promise.all(schemas.map(async (each) => [each, (await db[each].one<{ on: string }>(asked))?.on]));
  await db.close();
  const wanted = schemas.map((schema) => [schema, projections.includes(schema) ? "off" : "on"]);
  assert.deepEqual(found, wanted);
});

/** Ends the backend that runs a statement with this text, once there is one. */
async function cut(url: string, text: string): Promise<void> {
  const owner = await connectOwner(url);
  const kill = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'parley log' and datname = current_database() and query like '%${text}%'`;
  while ((await owner.query(kill)).rowCount === 0);
  await owner.end();
}

test("a change whose connection is cut is unavailable at once, and the next query has a new one", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  const change = "update log.head set epoch = epoch from (select pg_sleep(20)) slow";
  const cutOff = assert.rejects(db.log.change(change), unavailable);
  await cut(database.url, "pg_sleep(20)");
  await cutOff;
  assert.equal((await db.log.query("select 1 from log.head")).length, 1);
  await db.close();
});

test("a transaction whose connection is cut between two statements is unavailable, and nothing else hears of it", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  const owner = await connectOwner(database.url);
  const between = async (tx: Pick<Database["log"], "query" | "one">) => {
    const { pid } = (await tx.one<{ pid: number }>("select pg_backend_pid() as pid")) as { pid: number };
    await owner.query("select pg_terminate_backend($1, 10000)", [pid]);
    // The server's word and the end of the socket are read in the next turns; an error that nobody hears fails this test.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => void setImmediate(resolve));
    await tx.query("select 1 from log.head");
  };
  await assert.rejects(db.log.transaction(between), unavailable);
  assert.equal((await db.log.query("select 1 from log.head")).length, 1);
  await owner.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
  await assert.rejects(owner.query("select 1"));
  await db.close();
});

test("what only reads is asked again when its connection is cut, also where that was cut before and nobody had noticed", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  const reading = db.log.query("select pg_sleep(1) from log.head");
  await cut(database.url, "pg_sleep(1)");
  assert.equal((await reading).length, 1);
  const owner = await connectOwner(database.url);
  for (let round = 0; round < 20; round++) {
    await owner.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parley log' and datname = current_database()",
    );
    assert.equal((await db.log.query("select 1 from log.head")).length, 1);
  }
  await owner.end();
  await db.close();
});

test("a statement that runs for too long is ended by the database, and its connection serves the next one", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {}, statement_ms: 200 });
  const pid = "select pg_backend_pid() as pid";
  const before = await db.log.query(pid);
  // Were it asked again, as what met a database that is away, it would take the whole patience.
  await assert.rejects(db.log.query("select pg_sleep(60)"), unavailable);
  const slowChange = db.log.transaction(async (inside) => {
    await inside.change("update log.head set epoch = epoch + 1");
    await inside.query("select pg_sleep(60)");
  });
  await assert.rejects(slowChange, unavailable);
  assert.deepEqual(await db.log.query(pid), before);
  const running =
    "select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep(6%' and state = 'active'";
  assert.equal((await db.log.query(`${running} and pid <> pg_backend_pid()`)).length, 0);
  await db.close();
});

/** Resolves when there is a connection that nobody uses. */
function warm({ log }: Database): Promise<unknown> {
  const isThere = () =>
    log.query("select 1").then(
      () => true,
      () => false,
    );
  return soonFound("the database answers", isThere);
}

test("nobody waits without end for a free connection, for a new one, or for an answer", async (t) => {
  await using database = await createTestDatabase();
  const { proxy, url } = await openWayTo(database.url);
  await using _proxy = proxy;
  const open = (address: string) => openDatabase({ url: address, connections: 1, onError: () => {}, patience_ms: 0 });
  /** Another wait that ended would have another cause. */
  const endsBy = (db: Database, cause: RegExp) => {
    const ended = assert.rejects(db.log.query("select 1"), (error: MatrixError) => {
      assert.match(String(error.cause), cause);
      return error.errcode === unavailable.errcode;
    });
    return soon(`the wait ends by ${cause}`, ended);
  };

  t.mock.property(limits, "databaseQueue_ms", 1_000 as never);
  const busy = open(database.url);
  t.mock.restoreAll();
  await warm(busy);
  const [taken, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = busy.log.transaction(() => (taken.resolve(), held.promise));
  await soon("the only connection is taken", taken.promise);
  // Whatever becomes of the transaction: the database ends one that stands still for too long.
  const [ended] = await Promise.allSettled([endsBy(busy, /timeout exceeded/).finally(held.resolve), holding]);
  await busy.close();
  if (ended.status === "rejected") throw ended.reason;

  const far = open(url);
  await warm(far);
  try {
    proxy.behave("swallow");
    t.mock.property(limits, "databaseAnswer_ms", 200 as never);
    await endsBy(far, /did not answer in time/);
    proxy.behave("hang");
    t.mock.property(limits, "databaseConnect_ms", 200 as never);
    await endsBy(far, /timeout expired/);
  } finally {
    proxy.behave("refuse");
    await far.close();
  }
});

test("no pool lets a statement run on when nobody waits for it any more, or a transaction stand still", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  for (const schema of schemas) {
    const setting = "select name, setting::int from pg_settings where name = any($1)";
    const names = ["statement_timeout", "idle_in_transaction_session_timeout"];
    const rows = await db[schema].query<{ name: string; setting: number }>(setting, [names]);
    const set = Object.fromEntries(rows.map((row) => [row.name, row.setting]));
    assert.ok(
      (set["statement_timeout"] ?? 0) > 0 && (set["statement_timeout"] ?? 0) < limits.databaseAnswer_ms,
      schema,
    );
    assert.equal(set["idle_in_transaction_session_timeout"], limits.databaseIdle_ms, schema);
  }
  await db.close();
});

test("a rule of the tables that is broken keeps its code, and a transaction that fails changes nothing", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  const insert = "insert into account.profiles (user_id, profile) values ('@a:x', '{}')";
  const failing = db.account.transaction(async (inside) => {
    inside.onceCommitted(() => assert.fail("nothing was committed"));
    await inside.query(insert);
    await inside.query(insert);
  });
  await assert.rejects(failing, (error) => sqlState(error) === "23505");
  assert.deepEqual(await db.account.query("select * from account.profiles"), []);
  await db.close();
});

/** What lies in the heap's old part: what has outlived two collections of the young one, or is taken for it. */
function old_bytes(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => /^(?:old|large_object)_space$/.test(space_name));
  return spaces.reduce((bytes, { space_used_size }) => bytes + space_used_size, 0);
}

test("what a statement was asked with becomes no old garbage", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  const body = "x".repeat(400);
  let asked_bytes = 0;
  const before_bytes = old_bytes();
  let most_bytes = 0;
  for (let round = 0; round < 1_500; round++) {
    const text = JSON.stringify(Array.from({ length: 150 }, (_, i) => ({ i, round, body })));
    await db.log.query("select length($1::text)", [text]);
    asked_bytes += text.length;
    // A marking in between takes it away again.
    most_bytes = Math.max(most_bytes, old_bytes() - before_bytes);
  }
  assert.ok(most_bytes < asked_bytes / 10, `${most_bytes} bytes became old, of ${asked_bytes} asked with`);
  await db.close();
});
