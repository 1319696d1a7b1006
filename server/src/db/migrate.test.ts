/** Migrations on a real PostgreSQL: fresh, again, under a plain user; and what each domain's role may not do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { StartError } from "../errors.ts";
import { connectOwner, openDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";
import { roleOf, schemas } from "./roles.ts";

async function run<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = await connectOwner(url);
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The database of a URL as another user, with the rights that are given. */
async function asUser(url: string, name: string, rights: string): Promise<string> {
  await run(
    url,
    `create role ${name} login password 'x' ${rights}; grant create on database ${new URL(url).pathname.slice(1) || "postgres"} to ${name}`,
  );
  const other = new URL(url);
  other.username = name;
  other.password = "x";
  return other.href;
}

async function wipe(url: string): Promise<void> {
  await run(url, [...schemas, "parley"].map((schema) => `drop schema ${schema} cascade`).join("; "));
}

test("a migrated database is migrated again without a change", async () => {
  await using database = await createTestDatabase();
  const before = await run(database.url, "select * from parley.migrations order by schema, number");
  const told: string[] = [];
  await migrate(database.url, { onProgress: (text) => told.push(text) });
  assert.deepEqual(told, []);
  assert.deepEqual(await run(database.url, "select * from parley.migrations order by schema, number"), before);
});

test("replicas that start together on an empty database migrate it once", async () => {
  await using database = await createTestDatabase();
  await wipe(database.url);
  const told: string[] = [];
  await Promise.all([1, 2, 3].map(() => migrate(database.url, { onProgress: (text) => told.push(text) })));
  assert.equal(new Set(told).size, told.length);
  const [row] = await run<{ count: string }>(database.url, "select count(*)::int as count from parley.migrations");
  assert.equal(row?.count, told.length);
});

test("a database of a newer Parley stops the start", async () => {
  await using database = await createTestDatabase();
  await run(database.url, "insert into parley.migrations (schema, number, name) values ('log', 9999, '9999_future')");
  await assert.rejects(migrate(database.url), (error) => {
    assert.ok(error instanceof StartError);
    return /newer Parley.*9999_future/.test(error.message);
  });
});

test("each domain's role reaches its own tables and nobody else's", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  try {
    const denied = { code: "42501" };
    await assert.rejects(db.keys.query("select * from auth.accounts"), denied);
    await assert.rejects(db.media.query("select * from log.entries"), denied);
    await assert.rejects(db.media.query("select log.append_one('session', 'a', 'b', 'c', '{}')"), denied);
    await assert.rejects(db.account.query("select log.append('[]', null, '[]', 0)"), denied);
    await assert.rejects(db.log.query("create table log.more (a integer)"), denied);
    await assert.rejects(db.log.query("select * from parley.migrations"), denied);
    assert.equal((await db.log.query("select 1 from log.head")).length, 1);
  } finally {
    await db.close();
  }
});

test("where the roles are there, a user without any right over roles may migrate once they are granted; else the SQL is said", async () => {
  await using database = await createTestDatabase();
  await wipe(database.url);
  const plain = await asUser(database.url, "plain_user", "nocreaterole");
  try {
    await assert.rejects(migrate(plain), (error) => {
      assert.ok(error instanceof StartError);
      return error.message.includes("grant parley_log to");
    });
    await run(database.url, schemas.map((schema) => `grant ${roleOf(schema)} to plain_user`).join("; "));
    await migrate(plain);
    const db = openDatabase({ url: plain, connections: 1, onError: () => {} });
    assert.equal((await db.log.query("select 1 from log.head")).length, 1);
    await db.close();
  } finally {
    await run(database.url, "drop owned by plain_user cascade; drop role plain_user");
  }
});

test("a database that can not be reached is said so, without its password", async () => {
  await assert.rejects(migrate("postgres://user:hunter2@127.0.0.1:1/parley"), (error) => {
    assert.ok(error instanceof StartError);
    return /can not be reached/.test(error.message) && !error.message.includes("hunter2");
  });
});
