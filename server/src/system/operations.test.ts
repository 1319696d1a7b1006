/** What operators ask about the installation, and maintenance: over the operator API, seen from the client's side. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { waitFor } from "../../../testkit/src/wait.ts";
import { run } from "../cli/run.ts";
import { commands } from "../cli/commands.ts";
import { readConfig } from "../config.ts";
import { operations } from "../console/operations.ts";
import { realSeams } from "../seams.ts";
import { settings } from "../settings/table.ts";
import { settingSources } from "../settings/sources.ts";
import { newer } from "./operations.ts";

const SYSTEM = "/_parley/admin/v1/system";
const reason = "a test";
const server = await startTestServer();
after(() => server.stop());
const root = await makeAdministrator(server, "root");

/** Asks again when the row of the run has changed: what it has found is written as it is found. */
async function untilExamined(person: Person, runId: number): Promise<Json> {
  const check = async () => {
    const { run: found } = await person.call("GET", `${SYSTEM}/doctor?run_id=${runId}`);
    return found.state === "done" && found;
  };
  const listen = (look: () => void) => {
    const timer = realSeams.every(50, look);
    return () => timer.cancel();
  };
  return waitFor({ what: "the doctor is done", check, listen });
}

test("the processes that run are listed with their version and how far they are behind", async () => {
  await using other = await startTestServer({
    databaseUrl: server.databaseUrl,
    config: { roles: ["gateway", "worker"] },
  });
  const { items } = await root.call("GET", `${SYSTEM}/processes`);
  assert.equal(items.length, 2);
  assert.deepEqual(items[1].roles, ["gateway", "worker"]);
  assert.deepEqual(
    items.map((each: Json) => each.is_behind),
    [false, false],
  );
  assert.ok(other.url);
  assert.equal(["0.9.0", "0.10.0", "0.2.1"].reduce(newer), "0.10.0");
});

test("the doctor runs in the background, tells what it found, and an auditor may read but not run it", async () => {
  const { run_id } = await root.call("POST", `${SYSTEM}/doctor`, {});
  const done = await untilExamined(root, run_id);
  const checks = done.findings.map((each: Json) => each.check);
  for (const check of ["settings", "durability", "schema", "files", "public address"])
    assert.ok(checks.includes(check), check);
  assert.deepEqual(
    done.findings.filter((each: Json) => each.state === "failure"),
    [],
  );
  assert.equal(done.by, root.userId);
  const auditor = await makeOperator(server, "adam", "auditor");
  assert.equal((await auditor.call("GET", `${SYSTEM}/doctor`)).run.run_id, run_id);
  assert.equal((await auditor.ask("POST", `${SYSTEM}/doctor`, {})).status, 403);
  assert.equal((await root.ask("GET", `${SYSTEM}/doctor?run_id=999999`)).status, 404);
});

test("settings are shown with where they come from, and secrets are not", async () => {
  const { items } = await root.call("GET", `${SYSTEM}/configuration`);
  assert.deepEqual(
    items.map((each: Json) => each.name),
    settings.map(({ name }) => name),
  );
  const of = (name: string) => items.find((each: Json) => each.name === name);
  assert.deepEqual([of("DATABASE_URL").value, of("DATABASE_URL").from], [null, "environment"]);
  assert.deepEqual([of("PARLEY_REGISTRATION").value, of("PARLEY_LOG_LEVEL").from], ["open", "environment"]);
  const env = {
    APP_PUBLIC_URL: "https://chat.example.org",
    REDIS_URL: "redis://:hunter2@host",
    NATS_URL: "file:///run/secrets/nats",
    DATABASE_REPLICA_URLS: "file:///a,postgres://user:hunter2@host/db",
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://me:hunter2@collector",
  };
  const told = settingSources(env);
  assert.equal(JSON.stringify(told).includes("hunter2"), false);
  const value = (name: string) => told.find((each) => each.name === name);
  assert.deepEqual(
    [value("PARLEY_PUBLIC_URL")?.from, value("PARLEY_PUBLIC_URL")?.value],
    ["alias", env.APP_PUBLIC_URL],
  );
  assert.equal(value("NATS_URL")?.value, env.NATS_URL);
});

test("what every schema has and needs is shown, and which packages Parley is made of", async () => {
  const { items } = await root.call("GET", `${SYSTEM}/migrations`);
  assert.ok(items.length > 8);
  for (const { has, needs, missing } of items) assert.deepEqual([has, missing], [needs, []]);
  const licences = (await root.call("GET", `${SYSTEM}/licences`)).items;
  const of = (name: string) => licences.find((each: Json) => each.name === name);
  assert.equal(of("fastify").licence, "MIT");
  assert.equal(of("pg").licence, "MIT");
});

test("a backup and a drill are known to the console, and a drill that found damage is no success", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-backup-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const config = () => readConfig({ DATABASE_URL: server.databaseUrl, PARLEY_DATA_DIR: server.dataDir });
  const typed = (...words: string[]) =>
    run(words, {
      commands,
      seams: realSeams,
      config,
      out: () => {},
      error: (text) => process.stderr.write(`${text}\n`),
    });
  assert.equal((await root.call("GET", `${SYSTEM}/backups`)).last_backup, null);
  assert.equal(await typed("backup", join(folder, "one")), 0);
  const { last_backup, last_drill } = await root.call("GET", `${SYSTEM}/backups`);
  assert.equal(last_backup.detail.folder, join(folder, "one"));
  assert.equal(last_drill, null);
  assert.equal(await typed("restore", "drill", join(folder, "one")), 0);
  const drilled = (await root.call("GET", `${SYSTEM}/backups`)).last_drill;
  assert.equal(drilled.ok, true);
  await server.ctx.db.console.change(
    "insert into console.runs (kind, ended_at, ok) values ('restore_drill', now(), false)",
  );
  const afterDamage = await root.call("GET", `${SYSTEM}/backups`);
  assert.equal(afterDamage.last_drill.run_id, drilled.run_id);
  assert.equal(afterDamage.items[0].ok, false);
});

test("a dead message is put back or removed by its number, and nobody sees what is in it", async () => {
  const add = (id: number) =>
    server.ctx.db.queue.change(
      "insert into queue.dead (id, name, body, attempts, reason, format) values ($1, 'read.receipts', '{\"secret\":1}', 5, 'it failed', 2)",
      [id],
    );
  for (const id of [7, 8, 9]) await add(id);
  const first = await root.call("GET", `${SYSTEM}/dead-letters?limit=2`);
  const second = await root.call("GET", `${SYSTEM}/dead-letters?limit=2&from=${first.next}`);
  const listed = [...first.items, ...second.items];
  assert.deepEqual(
    listed.map((each: Json) => each.letter_id),
    [9, 8, 7],
  );
  assert.equal(JSON.stringify(listed).includes("secret"), false);
  await root.call("POST", `${SYSTEM}/dead-letters/7/retry`, { reason });
  await root.call("POST", `${SYSTEM}/dead-letters/8/discard`, { reason });
  const waiting = await server.ctx.db.queue.query("select name, body, attempts, format from queue.messages");
  assert.deepEqual(waiting, [{ name: "read.receipts", body: '{"secret":1}', attempts: 0, format: 2 }]);
  assert.equal((await root.ask("POST", `${SYSTEM}/dead-letters/8/discard`, { reason })).status, 404);
  assert.equal((await root.ask("POST", `${SYSTEM}/dead-letters/x/retry`, {})).status, 400);
  assert.equal((await root.ask("POST", `${SYSTEM}/dead-letters/9/discard`, {})).status, 400, "without a reason");
});

test("all dead messages of a queue are put back or removed, and stand on the overview until they are", async () => {
  assert.equal(
    (await root.ask("POST", `${SYSTEM}/queues/chat.messages/retry-dead`, {})).status,
    404,
    "without a queue",
  );
  await using queued = await startTestServer({ config: { queue: "postgresql", isQueueWorker: false } });
  const owner = await makeAdministrator(queued, "owner");
  const add = (name: string, count: number) =>
    queued.ctx.db.queue.change(
      "insert into queue.dead (id, name, body, attempts, reason) select n, $1, '{}', 5, 'it failed' from generate_series(1, $2::int) n",
      [name, count],
    );
  const says = async () =>
    (await owner.call("GET", "/_parley/admin/v1/overview")).attention.map((each: Json) => each.says);
  await add("read.receipts", 3);
  assert.ok((await says()).includes("3 messages in a queue could not be done."));
  const back = await owner.call("POST", `${SYSTEM}/queues/read.receipts/retry-dead`, {});
  assert.deepEqual(back, { queue: "read.receipts", put_back: 3, left: 0 });
  await add("read.receipts", 2);
  const path = `${SYSTEM}/queues/read.receipts/discard-dead`;
  assert.equal((await owner.ask("POST", path, {})).status, 400, "without a reason");
  assert.deepEqual(await owner.call("POST", path, { reason }), { queue: "read.receipts", removed: 2 });
  assert.equal((await owner.ask("POST", `${SYSTEM}/queues/others/discard-dead`, { reason })).status, 404);
  assert.ok(!(await says()).some((each: string) => each.includes("queue")));
});

test("an operator refuses writes and ends it; the API itself goes on", async () => {
  const ana = await registerPerson(server.url, "ana");
  const room = await createRoom(ana);
  const message = "We move to a larger disk.";
  const begun = await root.call("POST", `${SYSTEM}/maintenance/begin`, { message, retry_after_s: 5, reason });
  assert.deepEqual([begun.on, begun.message, begun.set_by], [true, message, root.userId]);
  const refused = await ana.ask("PUT", `${room.path}/send/m.room.message/a`, { msgtype: "m.text", body: "a" });
  assert.deepEqual([refused.status, refused.body.error], [503, message]);
  const again = await root.call("POST", `${SYSTEM}/maintenance/begin`, { message: "It takes longer.", reason });
  assert.equal(again.since_ts, begun.since_ts, "it goes on since it began");
  assert.equal((await root.call("POST", `${SYSTEM}/maintenance/end`, {})).on, false);
  await room.say(ana, "again");
  const actions = await server.ctx.db.console.query<{ action: string }>(
    "select action from console.audit where action like 'maintenance.%' and outcome = 'done' order by position",
  );
  assert.deepEqual(
    actions.map(({ action }) => action),
    ["maintenance.begin", "maintenance.begin", "maintenance.end"],
  );
});

test("no operation has the id or the path of another", () => {
  const ids = operations.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const paths = operations.map(({ method, path }) => `${method} ${path.replace(/:[^/]+/g, ":")}`);
  assert.equal(new Set(paths).size, paths.length);
});
