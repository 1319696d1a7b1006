import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { missingAge, startAge } from "./age.ts";

test("a PostgreSQL with Apache AGE answers Cypher", { skip: missingAge() }, async () => {
  const age = await startAge();
  assert.ok("url" in age);
  await using _ended = age;
  const client = new pg.Client(age.url);
  await client.connect();
  try {
    await client.query("set search_path = ag_catalog, public; select create_graph('trial')");
    await client.query(
      "select * from cypher('trial', $$ create (:person {name: 'Ana'})-[:member]->(:room {name: 'Lab'}) $$) as (a agtype)",
    );
    const { rows } = await client.query<{ name: string }>(
      "select name::text from cypher('trial', $$ match (:person)-[:member]->(r:room) return r.name $$) as (name agtype)",
    );
    assert.deepEqual(rows, [{ name: "Lab" }]);
  } finally {
    await client.end();
  }
});
