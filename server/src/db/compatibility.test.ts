import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { StartError } from "../errors.ts";
import { type Applied, pending, readMigration } from "./compatibility.ts";
import { connectOwner } from "./database.ts";
import { migrate } from "./migrate.ts";
import { schemas } from "./roles.ts";
import { readKnown } from "./schema.ts";

/** The last migration of each schema that the release before has. To be made anew with each release. */
const RELEASE_BEFORE: Readonly<Record<string, number>> = {
  account: 1,
  auth: 2,
  ephemeral: 1,
  keys: 5,
  log: 7,
  media: 1,
  queue: 1,
  rooms: 1,
};

const known = [1, 2, 3].map((n) => readMigration("log", `000${n}_a.sql`, "select 1"));
const has = (number: number, compatibleSince: number | null): Applied => ({
  schema: "log",
  number,
  name: `${number}`,
  compatibleSince,
});

test("what a migration says in its first line is since when code may run on it; else it must know it", () => {
  assert.equal(readMigration("log", "0007_a.sql", "-- compatible since: 0005\nselect 1").compatibleSince, 5);
  assert.equal(readMigration("log", "0007_a.sql", "select 1\n-- compatible since: 0005").compatibleSince, 7);
  assert.throws(() => readMigration("log", "0007_a.sql", "-- compatible since: 0008\n"));
});

test("what the database has not is pending, in order", () => {
  assert.deepEqual(
    pending(known, [has(1, 1)]).map(({ number }) => number),
    [2, 3],
  );
  assert.deepEqual(pending(known, [has(1, 1), has(2, 2), has(3, 3)]), []);
});

test("a newer schema is run on where every migration that is not known allows it, and refused where one does not", () => {
  const old = [has(1, 1), has(2, 2), has(3, 3)];
  assert.deepEqual(pending(known, [...old, has(4, 3), has(5, 1)]), []);
  for (const newer of [[has(4, 4)], [has(4, null)], [has(4, 3), has(5, 4)], [has(4, 5), has(5, 3)]])
    assert.throws(() => pending(known, [...old, ...newer]), StartError);
});

test("a schema with another history is refused, however it is marked", () => {
  assert.throws(() => pending([known[0], known[2]] as typeof known, [has(2, 1)]), StartError);
  assert.throws(() => pending(known, [{ ...has(1, 1), schema: "billing" }]), StartError);
  assert.deepEqual(pending(known, [{ ...has(1, 0), schema: "billing" }]).length, 3);
});

test("the release before may run on the schema as it is now, and start on it", async () => {
  const now = await readKnown();
  const before = now.filter(({ schema, number }) => number <= (RELEASE_BEFORE[schema] ?? 0));
  assert.deepEqual(pending(before, now), []);
});

const UPGRADING = new URL("../../../docs/operations/upgrading.md", import.meta.url);

/** All indexes: each as PostgreSQL writes it, and whether it is the same one. */
const INDEXES = `select i.indexrelid::regclass::text as name, i.indexrelid::int as id, i.indisvalid as "isValid", pg_get_indexdef(i.indexrelid) as is
  from pg_index i order by 1`;

test("indexes that were made by hand on the release before, as the page says, are those of the migrations and stay", async () => {
  const page = await readFile(UPGRADING, "utf8");
  const statements = [...page.matchAll(/^(?:create index concurrently|alter type) .*;$/gm)].map(
    ([statement]) => statement,
  );
  assert.equal(statements.length, 10);
  await using database = await createTestDatabase();
  const client = await connectOwner(database.url);
  try {
    type Row = { name: string; id: number; isValid: boolean; is: string };
    const indexes = async () => new Map((await client.query<Row>(INDEXES)).rows.map((row) => [row.name, row]));
    const wanted = await indexes();
    await client.query([...schemas, "parley"].map((schema) => `drop schema ${schema} cascade`).join("; "));
    await migrate(database.url, { isWanted: ({ schema, number }) => number <= (RELEASE_BEFORE[schema] ?? 0) });
    const before = await indexes();
    for (const statement of statements) await client.query(statement);
    const byHand = [...(await indexes()).values()].filter(({ name }) => !before.has(name));
    assert.equal(byHand.length, 9);
    await migrate(database.url);
    const after = await indexes();
    for (const made of byHand) {
      assert.deepEqual(after.get(made.name), made);
      assert.deepEqual([made.isValid, made.is], [true, wanted.get(made.name)?.is]);
    }
  } finally {
    await client.end();
  }
});
