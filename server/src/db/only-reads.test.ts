import assert from "node:assert/strict";
import { test } from "node:test";
import { onlyReads } from "./only-reads.ts";

test("a statement that asks tables and nothing else only reads", () => {
  for (const sql of [
    "select position from log.head",
    "\n  select count(*), max(updated_at) from auth.sessions where created_at < now()",
    "with newest as (select * from log.entries order by position desc limit 1) select * from newest",
    "select unnest($1::text[]) join auth.tokens t on t.access_hash = decode($1, 'base64')",
  ])
    assert.equal(onlyReads(sql), true, sql);
});

test("whatever changes something, locks something or might counts as a change", () => {
  for (const sql of [
    "insert into log.entries values (1)",
    "update log.head set epoch = epoch",
    "with gone as (delete from keys.one_time_keys returning *) select * from gone",
    "select * from keys.one_time_keys for update skip locked",
    "select * from log.head for no key update",
    "select log.append($1, $2, $3, $4) as result",
    "select * from auth.use_token(decode($1, 'base64'))",
    "select pg_notify('parley', $1)",
    "select pg_advisory_lock($1)",
    "select nextval('log.numbers')",
    "vacuum",
  ])
    assert.equal(onlyReads(sql), false, sql);
});
