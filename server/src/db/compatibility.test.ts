import assert from "node:assert/strict";
import { test } from "node:test";
import { StartError } from "../errors.ts";
import { type Applied, pending, readMigration } from "./compatibility.ts";
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
