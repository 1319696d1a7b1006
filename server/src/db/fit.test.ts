import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "../../../testkit/src/http.ts";
import { sql } from "../../../testkit/src/command.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { realSeams } from "../seams.ts";
import { openDatabase } from "./database.ts";
import { openSchemaFit } from "./fit.ts";

/** A look at a database of its own, on a clock that the test moves. */
async function openLook() {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await createTestDatabase());
  const db = openDatabase({ url: database.url, connections: 1, onError: () => {} });
  opened.defer(() => db.close());
  let now_ms = 0;
  let queries = 0;
  const counted = {
    ...db.log,
    query: ((text, params) => (queries++, db.log.query(text, params))) as typeof db.log.query,
  };
  const fit = openSchemaFit({ db: counted, seams: { ...realSeams, monotonic_ms: () => now_ms } });
  const ending = opened.move();
  return {
    url: database.url,
    queries: () => queries,
    /** What is known after a look at what there is now. */
    async next() {
      now_ms += limits.schemaFit_ms;
      fit.misfit();
      await fit.settled();
      return fit.misfit();
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

const insert = (compatibleSince: string) =>
  `insert into parley.migrations (schema, number, name, compatible_since) values ('log', 9999, '9999_future', ${compatibleSince})`;

test("a schema that was expanded by the next version fits; one that was migrated past this one does not, until it is back", async () => {
  await using look = await openLook();
  assert.equal(await look.next(), undefined);
  await sql(look.url, insert("(select max(number) from parley.migrations where schema = 'log')"));
  assert.equal(await look.next(), undefined);
  await sql(look.url, "update parley.migrations set compatible_since = 9999 where number = 9999");
  assert.match((await look.next()) ?? "", /newer Parley.*log\/9999_future/);
  await sql(look.url, "delete from parley.migrations where number = 9999");
  assert.equal(await look.next(), undefined);
});

test("a database that lacks migrations of this version, as one that was restored, does not fit", async () => {
  await using look = await openLook();
  await sql(look.url, "delete from parley.migrations where schema = 'log' and number > 9");
  assert.match((await look.next()) ?? "", /older Parley.*log\/0010.*release db/);
});

test("a look that fails changes nothing of what is known, and is made once per period", async () => {
  await using look = await openLook();
  await sql(look.url, "revoke execute on function parley.applied from parley_log");
  assert.equal(await look.next(), undefined);
  await sql(look.url, `${insert("null")}; grant execute on function parley.applied to parley_log`);
  assert.match((await look.next()) ?? "", /newer/);
  await sql(look.url, "revoke execute on function parley.applied from parley_log");
  assert.match((await look.next()) ?? "", /newer/);
  assert.equal(look.queries(), 3);
});

test("a process is not ready on a schema that it may not run on, and says which migration that is", async () => {
  let now_ms = 0;
  const seams = { ...realSeams, monotonic_ms: () => realSeams.monotonic_ms() + now_ms };
  await using server = await startTestServer({ seams });
  const ready = () => request(server.url, "GET", "/health/ready");
  const first = await ready();
  assert.deepEqual(first.body, { ready: true, lag_entries: 0 });
  await sql(server.databaseUrl, insert("null"));
  now_ms += limits.schemaFit_ms;
  let answer = await ready();
  const end_ms = realSeams.monotonic_ms() + 10_000;
  while (answer.status === 200 && realSeams.monotonic_ms() < end_ms) answer = await ready();
  assert.equal(answer.status, 503);
  assert.match(answer.body.reason, /log\/9999_future/);
});
