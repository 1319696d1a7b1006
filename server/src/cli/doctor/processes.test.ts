/** The doctor at processes that have other clocks, secrets or settings than the rest, lag behind the log, or hang. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sql } from "../../../../testkit/src/command.ts";
import { examine as examineWith, expectOnly } from "../../../../testkit/src/doctor.ts";
import { until } from "../../../../testkit/src/postgres.ts";
import { temporaryDirectory } from "../../../../testkit/src/process.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { connectOwner } from "../../db/database.ts";
import { limits } from "../../limits.ts";
import { realSeams, type Seams } from "../../seams.ts";

/** How often a process shows itself, where a test waits for it. */
const BEAT_MS = 50;

const directory = temporaryDirectory();
after(() => directory[Symbol.dispose]());

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

/** This installation, with other settings. */
const examine = (changes: Record<string, string> = {}, options: readonly string[] = [], seams: Seams = realSeams) => {
  const same = { PARLEY_REGISTRATION: "open", PARLEY_RATE_LIMITS: "off" };
  const env = { DATABASE_URL: server.databaseUrl, PARLEY_DATA_DIR: server.dataDir, ...same };
  return examineWith({ ...env, ...changes }, options, seams);
};

const change = (text: string) => sql(server.databaseUrl, text);

test("clocks that differ from the database's are found: this machine's and each process's", async () => {
  const late: Seams = { ...realSeams, now_ms: () => Date.now() - 60_000 };
  expectOnly(
    { check: "clocks", state: "failure", says: /This machine is 60\.\d s behind/ },
    await examine({}, [], late),
  );
  const ahead: Seams = { ...realSeams, now_ms: () => Date.now() + 5_000 };
  await using other = await startTestServer({
    databaseUrl: server.databaseUrl,
    seams: ahead,
  });
  assert.ok(other.url);
  expectOnly({ check: "clocks", state: "warning", says: /Process \d+ on \S+ is [45]\.\d s ahead/ }, await examine());
});

test("a process that lags behind the log, and one that hangs, are failures", async () => {
  await change("update log.processes set behind_entries = 6000");
  expectOnly({ check: "log lag", state: "failure", says: /6000 entries behind/ }, await examine());
  await change("update log.processes set behind_entries = 0, seen_at = now() - interval '2 minutes'");
  expectOnly({ check: "log lag", state: "failure", says: /not shown itself for 12\d s/ }, await examine());
  expectOnly({ check: "log lag", state: "warning", says: /hangs/ }, await examine({}, ["--accept", "log lag"]));
  await change("update log.processes set seen_at = now()");
});

test("secrets and settings that differ between processes are found, and no table shows them", async () => {
  const secret = "redis://:a-long-secret@127.0.0.1:6379";
  await using other = await startTestServer({
    databaseUrl: server.databaseUrl,
    config: { redisUrl: secret },
  });
  assert.ok(other.url);
  const found = await examine();
  expectOnly(
    { check: "shared settings", state: "failure", says: /REDIS_URL is not the same .*this command.*\|/ },
    found,
  );
  const client = await connectOwner(server.databaseUrl);
  const { rows } = await client.query<{ fingerprints: string }>("select fingerprints from log.processes");
  await client.end();
  assert.ok(rows.length === 2 && rows.every(({ fingerprints: text }) => !text.includes("a-long-secret")));
  await other.halt();
  const differs = await examine({ PARLEY_MEDIA_MAX_BYTES: "1000" });
  expectOnly({ check: "shared settings", state: "warning", says: /PARLEY_MEDIA_MAX_BYTES/ }, differs);
});

test("a rotated password of the database that one process has not got is a failure until it has", async () => {
  const url = new URL(server.databaseUrl);
  url.password = "the-one-before";
  const file = join(directory.path, "database-url");
  writeFileSync(file, url.href);
  const every: Seams["every"] = (each_ms, act) =>
    realSeams.every(each_ms === limits.replicaBeat_ms ? BEAT_MS : each_ms, act);
  await using other = await startTestServer({
    databaseUrl: server.databaseUrl,
    config: { databaseUrl: `file://${file}` },
    seams: { ...realSeams, every },
  });
  assert.ok(other.url);
  const found = await examine();
  expectOnly(
    { check: "shared settings", state: "failure", says: /DATABASE_URL of \S+ is not the same .*this command.*\|/ },
    found,
  );
  writeFileSync(file, server.databaseUrl);
  const marks = async () => {
    const client = await connectOwner(server.databaseUrl);
    const { rows } = await client.query<{ fingerprints: string }>("select distinct fingerprints from log.processes");
    await client.end();
    return rows;
  };
  await until("the process's next beat", async () => (await marks()).length === 1);
  assert.deepEqual((await examine()).bad, []);
});
